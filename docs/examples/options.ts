// What did the user ask of the main job? The command line and the two environment variables, checked before anything starts.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { PASSAGE_FILE } from './passage.ts';

export const HELP = `Caduceus: the main job. Runs DSPy programs in two sessions on two supervised Python workers,
kills one worker in the middle of a call, and shows how the session goes on.

Usage: npm start -- [options]

  --text <file>       ask about this text instead of the one that ships with the example
  --ask <question>    what to ask about it; may be given more than once
  --model <name>      as DSPy names it; default openai/gpt-4.1-mini
  --api-base <url>    an OpenAI-compatible server, e.g. http://127.0.0.1:11434/v1
  --json              one JSON object a line on stdout, the last one the summary
  --verbose           the log of the runtime on stderr
  --help              this text

Without OPENAI_API_KEY, OPENAI_BASE_URL and --api-base the questions are answered by a model that
comes with the project: it works by rules, is no neural network, and needs neither key nor network.
`;

/** A language model that answers over HTTP. */
export interface RemoteModel {
  readonly model: string;
  readonly apiBase: string | undefined;
  readonly apiKey: string;
}

export interface MainJobOptions {
  /** Where the text is from, as the user would name it. */
  readonly textName: string;
  readonly text: string;
  /** The user's questions; empty: those that belong to the text. */
  readonly asks: readonly string[];
  readonly isOwnText: boolean;
  /** Absent: the local model. */
  readonly remote: RemoteModel | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
}

/** The user has to change the command; the message names the option. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const DEFAULT_MODEL = 'openai/gpt-4.1-mini';

/** @throws {@link UsageError} naming the option that is wrong. */
export function parseOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): MainJobOptions {
  const given = parse(argv);
  const isOwnText = given.text !== undefined;
  const asks = (given.ask ?? []).map((question) => question.trim());
  if (asks.includes('')) throw new UsageError('--ask: the question is empty');
  return {
    textName: given.text ?? path.relative(process.cwd(), PASSAGE_FILE),
    text: given.help === true ? '' : readText(given.text ?? PASSAGE_FILE),
    asks,
    isOwnText,
    remote: remoteModel(given.model, given['api-base'], env),
    json: given.json ?? false,
    verbose: given.verbose ?? false,
    help: given.help ?? false,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        text: { type: 'string' },
        ask: { type: 'string', multiple: true },
        model: { type: 'string' },
        'api-base': { type: 'string' },
        json: { type: 'boolean' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    // Node's message names the option, and then goes on about "--" in a second sentence.
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(message.split('. To specify')[0] ?? message);
  }
}

function readText(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`--text ${file}: ${whyUnreadable(error)}`);
  }
  if (text === '') throw new UsageError(`--text ${file}: the file is empty`);
  if (text.includes('\0')) throw new UsageError(`--text ${file}: the file is not text`);
  return text;
}

function whyUnreadable(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
      return 'it may not be read';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function remoteModel(
  model: string | undefined,
  base: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): RemoteModel | undefined {
  const apiBase =
    checkUrl('--api-base', base) ?? checkUrl('OPENAI_BASE_URL', nonEmpty(env['OPENAI_BASE_URL']));
  const apiKey = nonEmpty(env['OPENAI_API_KEY']);
  if (model?.trim() === '') throw new UsageError('--model: the name is empty');
  if (apiBase === undefined && apiKey === undefined) {
    if (model === undefined) return undefined;
    throw new UsageError(
      '--model: needs OPENAI_API_KEY, OPENAI_BASE_URL or --api-base to know whom to ask',
    );
  }
  // A server of one's own rarely asks for a key, but its clients insist on sending one.
  return { model: model ?? DEFAULT_MODEL, apiBase, apiKey: apiKey ?? 'none' };
}

/** A variable that is set to nothing is meant as not set. */
function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function checkUrl(name: string, url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (URL.canParse(url) && /^https?:$/u.test(new URL(url).protocol)) return url;
  throw new UsageError(
    `${name}: ${url === '' ? 'the address is empty' : `${url} is no http address`}`,
  );
}
