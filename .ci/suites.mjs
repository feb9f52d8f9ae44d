// How are the two suites run, and what is their sum?
// Each writes its own report to the terminal; the counts come from the reports for machines, and
// the exit status of either suite is never lost, whatever the counts say.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { venvPython } from './python.mjs';
import { root } from './setup.mjs';

const REPORTS = '.cache/reports';
const PYTEST_FOUND_NOTHING = 5;

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * @param {readonly string[]} vitestArgs
 * @param {readonly ('vitest' | 'pytest')[]} suites
 * @returns {Promise<number>} the exit status
 */
export async function runSuites(vitestArgs, suites = ['vitest', 'pytest']) {
  rmSync(path.join(root, REPORTS), { recursive: true, force: true });
  mkdirSync(path.join(root, REPORTS), { recursive: true });
  const results = [];
  for (const suite of suites) {
    results.push(await (suite === 'vitest' ? vitest(vitestArgs) : pytest()));
  }
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const result of results) {
    const counts = result.counts ?? { passed: 0, failed: 0, skipped: 0 };
    total.passed += counts.passed;
    total.skipped += counts.skipped;
    // A suite that broke before it could count is one failure at least.
    total.failed += result.status !== 0 ? Math.max(1, counts.failed) : counts.failed;
  }
  process.stdout.write(
    `\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`,
  );
  return total.failed === 0 ? 0 : 1;
}

/** @param {readonly string[]} args */
async function vitest(args) {
  const report = path.join(REPORTS, 'vitest.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const config = ['--config', '.config/vitest.config.ts'];
  const program = 'node_modules/vitest/vitest.mjs';
  const status = await inTerminal(
    process.execPath,
    [program, 'run', ...config, ...reporters, ...args],
    { CADUCEUS_PYTHON: venvPython(root) },
  );
  return { status, counts: vitestCounts(path.join(root, report)) };
}

async function pytest() {
  const report = path.join(REPORTS, 'pytest.xml');
  const status = await inTerminal(
    venvPython(root),
    ['-m', 'pytest', 'python', `--junitxml=${report}`],
    { PYTHONPATH: path.join(root, 'python/src'), PYTHONDONTWRITEBYTECODE: '1' },
  );
  return {
    status: status === PYTEST_FOUND_NOTHING ? 0 : status,
    counts: pytestCounts(path.join(root, report)),
  };
}

/**
 * @param {string} file
 * @returns {Counts | undefined}
 */
function vitestCounts(file) {
  const text = readReport(file);
  if (text === undefined) return undefined;
  const report = JSON.parse(text);
  // A file that cannot be loaded fails without a single test of its own.
  const broken = report.testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ result) =>
      result.status === 'failed' && result.assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * @param {string} file
 * @returns {Counts | undefined}
 */
function pytestCounts(file) {
  const suite = /<testsuite [^>]*>/u.exec(readReport(file) ?? '')?.[0];
  if (suite === undefined) return undefined;
  /** @param {string} name */
  const count = (name) => Number(new RegExp(` ${name}="(\\d+)"`, 'u').exec(suite)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  const skipped = count('skipped');
  return { passed: count('tests') - failed - skipped, failed, skipped };
}

/** @param {string} file */
function readReport(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // The suite did not come as far as its report.
  }
}

/**
 * Run a command with our terminal as its own; signals reach it, and we end after it.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>}
 */
function inTerminal(command, args, env) {
  return new Promise((resolve) => {
    const options = /** @type {const} */ ({ cwd: root, stdio: 'inherit' });
    const child = spawn(command, args, { ...options, env: { ...process.env, ...env } });
    /** @type {NodeJS.Signals | undefined} */
    let ended;
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      ended = signal;
      // A terminal sends Ctrl-C to the child as well; twice would cut its orderly end short.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
    for (const signal of signals) process.on(signal, forward);
    child.once('error', (error) => {
      process.stderr.write(`✗ ${command} could not be started: ${error.message}\n`);
      resolve(1);
    });
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      if (ended !== undefined) process.exit(128 + constants.signals[ended]);
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']);
    });
  });
}
