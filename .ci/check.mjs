// Is the whole project in order? One command asks every tool and shows one table.
// Every check runs even when an earlier one failed: one round shows all there is to mend.
// `npm run check` ends with the suites; `npm run check -- --static` leaves them out.

import { availableParallelism } from 'node:os';
import path from 'node:path';
import { BRIDGE_SETS, venvPython } from './python.mjs';
import { root, setUp } from './setup.mjs';
import { endChildrenOnSignals, run, seconds, StepError } from './steps.mjs';
import { runSuites } from './suites.mjs';

const node = process.execPath;
/** @param {string} file */
const bin = (file) => path.join(root, 'node_modules', file);
const python = venvPython(root);

/** @typedef {{ name: string, command: string[], after?: string, cwd?: string }} Check */

/** The slow ones first: two run side by side, and the table keeps this order. @type {Check[]} */
const CHECKS = [
  {
    name: 'eslint',
    command: [node, bin('eslint/bin/eslint.js'), '-c', '.config/eslint.config.js', '.'],
  },
  { name: 'build', command: [node, '.ci/setup.mjs', 'build'] },
  { name: 'types (tsc)', command: [node, bin('typescript/bin/tsc'), '--noEmit'] },
  { name: 'prettier', command: [node, bin('prettier/bin/prettier.cjs'), '--check', '.'] },
  { name: 'knip', command: [node, bin('knip/bin/knip.js'), '-c', '.config/knip.json'] },
  { name: 'publint', command: [node, bin('publint/src/cli.js'), '--strict'], after: 'build' },
  { name: 'drawn documents', command: [node, '.ci/docs.mjs', '--check'], after: 'build' },
  // mypy reads the settings of the folder that it runs in.
  { name: 'mypy', command: [python, '-m', 'mypy', '--strict'], cwd: 'python' },
  { name: 'ruff check', command: [python, '-m', 'ruff', 'check', 'python'] },
  { name: 'ruff format', command: [python, '-m', 'ruff', 'format', '--check', 'python'] },
];

const isStatic = process.argv.includes('--static');
const startedMs = performance.now();
await setUp({ python: isStatic ? ['dev'] : [...BRIDGE_SETS, 'dev'] });

/** @type {Map<string, { ok: boolean, took: string }>} */
const results = new Map();
const signals = endChildrenOnSignals();
await runAll([...CHECKS]);
signals.stop();
if (!isStatic) {
  const suitesMs = performance.now();
  const status = results.get('build')?.ok === true ? await runSuites([]) : 1;
  results.set('suites', { ok: status === 0, took: seconds(suitesMs) });
}
showTable();
process.exitCode = [...results.values()].every(({ ok }) => ok) ? 0 : 1;

/** @param {Check[]} queue */
async function runAll(queue) {
  /** @type {Map<string, Promise<void>>} */
  const running = new Map();
  const lane = async () => {
    for (;;) {
      const index = queue.findIndex(({ after }) => after === undefined || running.has(after));
      const [check] = index === -1 ? [] : queue.splice(index, 1);
      if (check === undefined) return;
      const done = (running.get(check.after ?? '') ?? Promise.resolve()).then(() => runOne(check));
      running.set(check.name, done);
      await done;
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, lane));
}

/** @param {Check} check */
async function runOne({ name, command: [command = '', ...args], cwd = '.' }) {
  const sinceMs = performance.now();
  try {
    await run(command, args, { cwd: path.join(root, cwd) });
    results.set(name, { ok: true, took: seconds(sinceMs) });
  } catch (error) {
    results.set(name, { ok: false, took: seconds(sinceMs) });
    const output = error instanceof StepError ? error.output || error.message : String(error);
    process.stdout.write(`\n✗ ${name}\n\n${output.trim().replace(/^/gmu, '  ')}\n`);
  }
}

function showTable() {
  const names = [...CHECKS.map(({ name }) => name), 'suites'];
  process.stdout.write('\n');
  for (const name of names) {
    const result = results.get(name);
    if (result === undefined) continue;
    const verdict = result.ok ? '✓ ok    ' : '✗ failed';
    process.stdout.write(`  ${verdict}  ${name.padEnd(18)} ${result.took.padStart(8)}\n`);
  }
  const failed = [...results.values()].filter(({ ok }) => !ok).length;
  const sum = failed === 0 ? 'all in order' : `${failed} failed`;
  process.stdout.write(`\n  ${sum}, ${seconds(startedMs)}\n`);
}
