// Do the examples run? Each in a process of its own, with a time limit; a line for each, and the
// counts at the end: node .ci/examples.mjs [name or folder …] [--all]
// Those that are named show what they print. Where CI is set, the large model is left out unless it
// is named, or `--all` is given.

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { chatModel } from './chat-model.mjs';
import { venvPython } from './python.mjs';
import { root, setUp } from './setup.mjs';
import { seconds, showFailure, StepError } from './steps.mjs';

/** Importing torch on a machine that does other things too. */
const LIMIT_MS = 120_000;
/** The large model writes some tokens a second, and its weights are unpacked first. */
const LARGE_LIMIT_MS = 900_000;

/**
 * @typedef {object} Example
 * @property {string} name its program below dist/docs/examples, without `.js`
 * @property {readonly string[]} [python] the sets of packages that it needs
 * @property {readonly string[]} [args] `{scratch}` is a folder of its own, `{model}` the large model
 * @property {Readonly<Record<string, string>>} [env]
 * @property {boolean} [isLarge]
 */

/** @type {readonly Example[]} */
const EXAMPLES = [
  { name: 'dspy/dspy', python: ['dspy'] },
  { name: 'langchain/langchain', python: ['langchain'] },
  { name: 'transformers/transformers', python: ['transformers', 'models'] },
  { name: 'sklearn/sklearn', python: ['sklearn'], args: ['{scratch}'] },
  { name: 'fastify/main', python: ['dspy'], args: ['--check'] },
  { name: 'calls/calls', python: ['sklearn'] },
  {
    name: 'pools/pools',
    python: ['dspy'],
    args: ['{scratch}/sessions.db'],
    env: { NOTEBOOK_TOKEN: 'of an example' },
  },
  { name: 'testing/testing', python: ['dspy'] },
  ...chapters('supervision').map((name) => ({ name, python: ['dspy'] })),
  {
    name: 'smollm2/smollm2',
    python: ['transformers', 'chat', 'dspy'],
    args: ['{model}'],
    isLarge: true,
  },
];

/** The programs of a guide, by the number of their chapter. @param {string} folder */
function chapters(folder) {
  return readdirSync(path.join(root, 'docs/examples', folder))
    .filter((file) => file.endsWith('.ts'))
    .sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10))
    .map((file) => `${folder}/${path.basename(file, '.ts')}`);
}

const wanted = process.argv.slice(2).filter((word) => word !== '--all');
const isAll = process.argv.includes('--all');
const leavesOutLarge = wanted.length === 0 && !isAll && (process.env['CI'] ?? '') !== '';

try {
  process.exitCode = await runExamples(chosen());
} catch (error) {
  showFailure(error);
  process.exitCode = 1;
}

function chosen() {
  const isNamed = (/** @type {string} */ name, /** @type {string} */ word) =>
    name === word || name.startsWith(`${word}/`);
  const unknown = wanted.filter((word) => !EXAMPLES.some(({ name }) => isNamed(name, word)));
  if (unknown.length > 0) {
    throw new StepError(`there is no example ${unknown.join(', ')}`, {
      advice: `name one of ${EXAMPLES.map(({ name }) => name).join(', ')}, or a folder of them.`,
    });
  }
  return EXAMPLES.filter(({ name, isLarge }) =>
    wanted.length === 0
      ? isLarge !== true || !leavesOutLarge
      : wanted.some((word) => isNamed(name, word)),
  );
}

/** @param {readonly Example[]} examples */
async function runExamples(examples) {
  await setUp({ build: true, python: [...new Set(examples.flatMap(({ python = [] }) => python))] });
  const model = examples.some(({ isLarge }) => isLarge) ? await chatModel(root) : '';
  let failed = 0;
  for (const example of examples) {
    const startedMs = performance.now();
    const { why, output } = await runExample(example, model);
    const line = `${why === '' ? '✓' : '✗'} ${example.name} (${seconds(startedMs)})`;
    process.stdout.write(`${line}${why === '' ? '' : `: ${why}`}\n`);
    if (why !== '') failed += 1;
    if (why !== '' || wanted.length > 0) process.stdout.write(output.replace(/^(?=.)/gmu, '  | '));
  }
  if (leavesOutLarge) {
    process.stdout.write('- smollm2/smollm2 is left out where CI is set: --all runs it too\n');
  }
  process.stdout.write(`\n${examples.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

/**
 * @param {Example} example
 * @param {string} model
 * @returns {Promise<{ why: string, output: string }>} why it failed: empty when it did not.
 */
async function runExample({ name, args = [], env = {}, isLarge = false }, model) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'caduceus-example-'));
  const limitMs = isLarge ? LARGE_LIMIT_MS : LIMIT_MS;
  const given = args.map((arg) => arg.replace('{scratch}', scratch).replace('{model}', model));
  try {
    return await ended([path.join('dist/docs/examples', `${name}.js`), ...given], env, limitMs);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Run Node to its end. Workers end by themselves when their Node is gone, however it went.
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} more
 * @param {number} limitMs
 * @returns {Promise<{ why: string, output: string }>}
 */
function ended(args, more, limitMs) {
  return new Promise((resolve) => {
    const ours = { ...more, CADUCEUS_PYTHON: venvPython(root) };
    const env = { CADUCEUS_LOG_LEVEL: 'silent', ...process.env, ...ours };
    const child = spawn(process.execPath, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let isLate = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    const limit = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, limitMs);
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
    /** @param {NodeJS.Signals} signal */
    const end = (signal) => {
      child.kill('SIGKILL');
      process.exit(128 + constants.signals[signal]);
    };
    for (const signal of signals) process.on(signal, end);
    child.once('error', (error) => (output += error.message));
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      for (const name of signals) process.off(name, end);
      const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
      const why = isLate ? `not done after ${limitMs / 1_000} s` : code === 0 ? '' : how;
      resolve({ why, output });
    });
  });
}
