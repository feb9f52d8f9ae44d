// How do two set-ups of one checkout stay out of each other's way?
// A folder is the lock (making one is atomic); its owner touches it every second, so that a lock
// whose owner is dead is told from one that is held, even where process ids are soon used again.

import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { notice, onSignalledEnd } from './steps.mjs';

const POLL_MS = 100;
const TOUCH_MS = 1_000;
const SILENT_FOR_MS = 30_000;

/**
 * Do `work` as the only one who holds `folder`.
 * @template T
 * @param {string} folder
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(folder, work) {
  const release = await acquire(folder);
  try {
    return await work();
  } finally {
    release();
  }
}

/** @param {string} folder */
async function acquire(folder) {
  mkdirSync(path.dirname(folder), { recursive: true });
  const watch = { token: '', touchedMs: 0, sinceMs: performance.now(), told: false };
  while (!tryToTake(folder)) {
    if (isAbandoned(folder, watch)) takeAway(folder, watch.token);
    else await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const touch = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(folder, now, now);
    } catch {
      // Somebody removed the lock by hand; the work goes on, and there is nothing left to touch.
    }
  }, TOUCH_MS);
  const release = () => {
    clearInterval(touch);
    rmSync(folder, { recursive: true, force: true });
  };
  const signalled = onSignalledEnd(release);
  return () => {
    signalled.forget();
    release();
  };
}

/** @param {string} folder */
function tryToTake(folder) {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(path.join(folder, 'owner'), `${process.pid} ${Date.now()}`);
  return true;
}

/**
 * Dead pid: abandoned. Living pid: abandoned only if nobody touched the lock while we watched.
 * @param {string} folder
 * @param {{ token: string, touchedMs: number, sinceMs: number, told: boolean }} watch
 */
function isAbandoned(folder, watch) {
  const token = readToken(folder);
  const touchedMs = mtimeMs(folder);
  if (token !== watch.token || touchedMs !== watch.touchedMs) {
    Object.assign(watch, { token, touchedMs, sinceMs: performance.now() });
  }
  const pid = Number.parseInt(token, 10);
  if (Number.isInteger(pid) && (pid === process.pid || !isAlive(pid))) return true;
  if (performance.now() - watch.sinceMs > SILENT_FOR_MS) return true;
  if (!watch.told && Number.isInteger(pid)) {
    notice(`waiting for another set-up of this checkout (process ${pid})`);
    watch.told = true;
  }
  return false;
}

/**
 * Renaming is atomic: of several that find a lock abandoned, one takes it away.
 * @param {string} folder
 * @param {string} token
 */
function takeAway(folder, token) {
  const aside = `${folder}.abandoned-${process.pid}`;
  try {
    if (readToken(folder) !== token) return;
    renameSync(folder, aside);
  } catch {
    return; // Another one was faster.
  }
  rmSync(aside, { recursive: true, force: true });
}

/** @param {string} folder */
function readToken(folder) {
  try {
    return readFileSync(path.join(folder, 'owner'), 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} folder */
function mtimeMs(folder) {
  try {
    return statSync(folder).mtimeMs;
  } catch {
    return 0;
  }
}

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
