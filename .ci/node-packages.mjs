// Are the Node packages that package-lock.json names installed, and if not, how do they get there?
// npm's own record of what it installed is compared with the lock, so an `npm install` by hand
// counts as well, and an installation that was cut short (npm writes its record last) does not.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { run, step, StepError } from './steps.mjs';

/** @typedef {Record<string, { version?: string, integrity?: string, optional?: boolean }>} Packages */

/** @param {string} root */
export function nodePackagesAreCurrent(root) {
  const recorded = readPackages(path.join(root, 'node_modules/.package-lock.json'));
  if (recorded === undefined) return false;
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  return Object.entries(wanted ?? {}).every(([place, entry]) => {
    if (place === '') return true;
    const found = recorded[place];
    // npm leaves out optional packages that are made for other systems.
    if (found === undefined) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** @param {string} root */
export async function installNodePackages(root) {
  if (nodePackagesAreCurrent(root)) return;
  await step('Node packages (npm ci)', async () => {
    const npm = npmCommand();
    const args = ['ci', '--no-audit', '--no-fund', '--no-json', '--loglevel=error'];
    await run(npm.command, [...npm.args, ...args], { cwd: root });
  });
}

/**
 * Refuse a Node that is older than package.json asks for.
 * @param {string} root
 */
export function requireNode(root) {
  const wanted = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).engines.node;
  const [major = 0, minor = 0] = wanted
    .replace(/[^\d.]/gu, '')
    .split('.')
    .map(Number);
  const [ourMajor = 0, ourMinor = 0] = process.versions.node.split('.').map(Number);
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return;
  throw new StepError(`Node ${wanted} is needed, and this is ${process.versions.node}`, {
    advice: 'install a current Node from https://nodejs.org (or with nvm: `nvm install --lts`).',
  });
}

/** The npm that runs us if one does, else the one on the path. */
function npmCommand() {
  const running = process.env['npm_execpath'] ?? '';
  if (path.basename(running) === 'npm-cli.js' && existsSync(running)) {
    return { command: process.execPath, args: [running] };
  }
  return { command: 'npm', args: [] };
}

/**
 * @param {string} file
 * @returns {Packages | undefined}
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined; // Absent or half-written: both mean "not installed".
  }
}
