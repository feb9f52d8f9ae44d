// What did the user ask for with one line?
import { suggestion } from '../../actors/ground/nearest.ts';
import { argsOf, targetOf, type Target } from './target.ts';
import { UsageError } from './usage-error.ts';

/** What a line asks for. */
export type Order =
  | { readonly type: 'nothing' }
  | ({ readonly type: 'call'; readonly args: unknown } & Target)
  | { readonly type: 'command'; readonly name: CommandName; readonly argument: string };

/** The commands, with what they are for. `argument` is shown in the help. */
export const COMMANDS = {
  help: { argument: '', about: 'this' },
  bridges: { argument: '', about: 'the bridges, and where each of them stands' },
  ops: { argument: '[bridge]', about: 'the operations, and what they are for' },
  tree: { argument: '', about: 'the supervision tree, with states and processes' },
  stats: { argument: '[bridge]', about: 'gauges and counters of the pools' },
  session: {
    argument: '[id]',
    about: 'make all calls from now on in this session; without an id in none',
  },
  end: { argument: '<id>', about: 'end a session on every bridge' },
  reload: {
    argument: '<bridge>',
    about: 'replace all workers of a bridge, e.g. when its file has changed',
  },
  exit: { argument: '', about: 'stop everything and leave (or Ctrl-D)' },
} as const;

export type CommandName = keyof typeof COMMANDS;

const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

/**
 * `<bridge>.<operation> {json}`, or `.command argument`.
 * @throws {@link UsageError} when it is neither.
 */
export function orderOf(line: string): Order {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return { type: 'nothing' };
  const [, head = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/u.exec(text) ?? [];
  if (!head.startsWith('.')) return { type: 'call', ...targetOf(head), args: argsOf(rest) };
  const name = COMMAND_NAMES.find((each) => each === head.slice(1));
  if (name !== undefined) return { type: 'command', name, argument: rest };
  const known = COMMAND_NAMES.map((each) => `.${each}`);
  throw new UsageError(`${head} is no command; ${suggestion(head, known)}`);
}

/** The operations of each bridge, as far as they are known. */
export type Known = ReadonlyMap<string, readonly string[]>;

/** Words that a line may go on with, and the part of it that they take the place of: what `readline` asks for. */
export function completionsOf(line: string, known: Known): [string[], string] {
  const [, command, between = '', word = ''] = /^(\S*)(\s*)(\S*)$/u.exec(line) ?? [];
  if (command === undefined) return [[], line];
  const bridges = [...known.keys()];
  if (between !== '') {
    const takesBridge = ['.ops', '.stats', '.reload'].includes(command);
    return [takesBridge ? startingWith(word, bridges) : [], word];
  }
  if (command.startsWith('.')) {
    return [
      startingWith(
        command,
        COMMAND_NAMES.map((name) => `.${name}`),
      ),
      command,
    ];
  }
  const operations = [...known].flatMap(([bridge, ops]) => ops.map((op) => `${bridge}.${op}`));
  const found = startingWith(command, operations);
  // First the bridge, then its operations, so that the list stays short.
  const first = command.includes('.')
    ? []
    : startingWith(
        command,
        bridges.map((name) => `${name}.`),
      );
  return [first.length > 1 ? first : found, command];
}

function startingWith(start: string, words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith(start));
}
