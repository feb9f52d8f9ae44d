// How does a set-up step show itself, run its commands, and end when asked to?
// It knows nothing of what the steps do. Everything is written to stderr: stdout belongs to the
// command that the user asked for. Node's own modules only, because this runs before any install.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const TAIL_LINES = 20;
const KILL_AFTER_MS = 3_000;
const HEADER = 'Preparing Caduceus (later runs skip what is done)\n';

/** A failure that a person can act on: what failed, why, and what to do about it. */
export class StepError extends Error {
  /**
   * @param {string} what
   * @param {{ why?: string, advice?: string, output?: string }} [detail]
   */
  constructor(what, { why = '', advice = '', output = '' } = {}) {
    super(what);
    this.why = why;
    this.advice = advice;
    /** All that the command wrote, where `why` has its tail. */
    this.output = output;
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
/** @type {Set<() => void>} */
const cleanups = new Set();
let headerShown = false;
let isEnding = false;

/**
 * Run one step and tell of it on one line: "  • label … 3.1 s".
 * @template T
 * @param {string} label
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(label, work) {
  const startedMs = performance.now();
  process.stderr.write(`${headerShown ? '' : HEADER}  • ${label} … `);
  headerShown = true;
  try {
    const result = await work();
    process.stderr.write(`${seconds(startedMs)}\n`);
    return result;
  } catch (error) {
    process.stderr.write(`failed after ${seconds(startedMs)}\n`);
    throw error;
  }
}

/** @param {string} text */
export function notice(text) {
  process.stderr.write(`  • ${text}\n`);
}

/** @param {number} sinceMs */
export function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`;
}

/**
 * Run a command to its end with its output captured; a failure carries the tail of that output.
 * The child leads a process group of its own, so that ending it ends what it started too.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ stdout: string, output: string }>}
 */
export function run(command, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    // Nothing goes on after a signal: its handler ends the process, so this promise stays open.
    if (isEnding) return;
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', (error) => {
      children.delete(child);
      reject(new StepError(`${command} could not be started`, { why: error.message }));
    });
    child.once('close', (code, signal) => {
      children.delete(child);
      if (isEnding) return;
      if (code === 0) return resolve({ stdout, output });
      const shown = [command, ...args].join(' ');
      const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
      const why = `$ ${shown}\n${tail(output)}\n(${how})`;
      reject(
        new StepError(`a command ended with ${how}`, { why, output, advice: adviceFor(output) }),
      );
    });
  });
}

/**
 * Show a failed step for people: which, why, what to do.
 * @param {unknown} error
 */
export function showFailure(error) {
  if (!(error instanceof StepError)) {
    process.stderr.write(`\n✗ ${error instanceof Error ? error.stack : String(error)}\n`);
    return;
  }
  const why = error.why === '' ? '' : `\n${error.why.replace(/^/gmu, '  | ')}\n`;
  const advice = error.advice === '' ? '' : `\nWhat to do: ${error.advice}\n`;
  process.stderr.write(`\n✗ ${error.message}\n${why}${advice}`);
}

/**
 * Call `cleanup` if a signal ends us before `forget` does.
 * @param {() => void} cleanup
 */
export function onSignalledEnd(cleanup) {
  cleanups.add(cleanup);
  return { forget: () => cleanups.delete(cleanup) };
}

/** From here until `stop()`, a signal that ends us ends the commands that we run, first. */
export function endChildrenOnSignals() {
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    isEnding = true;
    process.stderr.write(`\n✗ ended by ${signal}; what is done stays done\n`);
    const leave = () => {
      for (const cleanup of cleanups) cleanup();
      process.exit(128 + constants.signals[signal]);
    };
    for (const child of children) killGroup(child, 'SIGTERM');
    setInterval(() => children.size === 0 && leave(), 20);
    setTimeout(() => {
      for (const child of children) killGroup(child, 'SIGKILL');
      leave();
    }, KILL_AFTER_MS);
    stop();
    // A second Ctrl-C (npm sends one more by itself) must not cut the orderly end short.
    for (const other of signals) process.on(other, () => undefined);
  };
  const stop = () => signals.forEach((signal) => process.off(signal, end));
  for (const signal of signals) process.on(signal, end);
  return { stop };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function killGroup(child, signal) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // The group has ended by itself in the meantime.
  }
}

/** @param {string} output */
function tail(output) {
  return output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

/**
 * What a person can do about the usual causes; empty when the output itself says it better.
 * @param {string} output
 */
function adviceFor(output) {
  if (/No space left|ENOSPC/u.test(output)) return 'free some disk space, then run it again.';
  if (/`npm ci` can only install/u.test(output)) {
    return 'package.json was changed without package-lock.json: run `npm install`, then again.';
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|name resolution|unreachable|dns error|getaddrinfo|Max retries|error sending request|CERTIFICATE/iu.test(
      output,
    )
  ) {
    return 'the package registry could not be reached. Check the network (behind a proxy: set\nHTTPS_PROXY), then run it again; finished steps are not repeated.';
  }
  return '';
}
