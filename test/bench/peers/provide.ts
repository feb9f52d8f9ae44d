// Where do the peers' packages come from? Installed on demand from their own locks, beside the project's, never into it.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { benchFolder, projectPython, rootFolder } from '../stage.ts';

const execute = promisify(execFile);
const INSTALL_LIMIT_MS = 180_000;
const ADVICE_CHARACTERS = 300;

/** Once per run, also when it failed: the reason is every row's reason. */
const provided = new Map<string, Promise<string>>();

/** The interpreter with NumPy and the peers' packages. Rejects with the reason when they cannot be installed. */
export function benchPython(): Promise<string> {
  return once('python', async () => {
    const folder = join(rootFolder(), '.cache', 'bench-venv');
    const requirements = join(benchFolder(), 'peers', 'requirements.txt');
    const python = join(folder, 'bin', 'python');
    const stamp = stampOf([requirements], projectPython());
    if (isInstalled(folder, stamp) && existsSync(python)) return python;
    process.stderr.write('  installing what is compared with into .cache/bench-venv …\n');
    await command(projectPython(), ['-m', 'venv', '--clear', folder]);
    const pip = ['-m', 'pip', '--disable-pip-version-check', 'install', '--no-input', '-q'];
    await command(python, [...pip, '-r', requirements]);
    writeFileSync(join(folder, 'stamp'), stamp);
    return python;
  });
}

/** The folder whose node_modules hold the peers' packages. Rejects with the reason when they cannot be installed. */
export function peerPackages(): Promise<string> {
  return once('node', async () => {
    const folder = join(rootFolder(), '.cache', 'bench-peers');
    const from = join(benchFolder(), 'peers');
    const files = ['package.json', 'package-lock.json'];
    const stamp = stampOf(
      files.map((file) => join(from, file)),
      process.versions.node,
    );
    if (isInstalled(folder, stamp)) return folder;
    process.stderr.write('  installing what is compared with into .cache/bench-peers …\n');
    mkdirSync(folder, { recursive: true });
    for (const file of files) copyFileSync(join(from, file), join(folder, file));
    const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    await command('npm', args, folder);
    writeFileSync(join(folder, 'stamp'), stamp);
    return folder;
  });
}

/** Import a package from the peers' folder. */
export async function loadPeerPackage(folder: string, name: string): Promise<unknown> {
  const entry = createRequire(join(folder, 'package.json')).resolve(name);
  return import(pathToFileURL(entry).href);
}

/** `name version` of each package, as installed. */
export async function versionsOf(
  folder: string,
  python: string,
  packages: { readonly node: readonly string[]; readonly python: readonly string[] },
): Promise<readonly string[]> {
  const node = packages.node.map((name) => {
    const file = join(folder, 'node_modules', name, 'package.json');
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    return `${name} ${version}`;
  });
  const ask = 'import sys, importlib.metadata as m; [print(n, m.version(n)) for n in sys.argv[1:]]';
  const { stdout } = await execute(python, ['-c', ask, ...packages.python]);
  return [...node, ...stdout.split('\n').filter((line) => line !== '')];
}

function once(what: string, provide: () => Promise<string>): Promise<string> {
  const before = provided.get(what);
  if (before !== undefined) return before;
  const now = provide();
  provided.set(what, now);
  return now;
}

function stampOf(files: readonly string[], ...facts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file)).update('\0');
  for (const fact of facts) hash.update(fact).update('\0');
  return hash.digest('hex');
}

function isInstalled(folder: string, stamp: string): boolean {
  const file = join(folder, 'stamp');
  return existsSync(file) && readFileSync(file, 'utf8') === stamp;
}

async function command(program: string, args: readonly string[], cwd?: string): Promise<void> {
  const options = { timeout: INSTALL_LIMIT_MS, killSignal: 'SIGKILL' as const, cwd };
  try {
    await execute(program, [...args], options);
  } catch (error) {
    const { stderr = '', message } = error as Error & { readonly stderr?: string };
    const why = (stderr.trim() || message).slice(-ADVICE_CHARACTERS);
    throw new Error(`${program} ${args.slice(0, 3).join(' ')} … failed: ${why}`, { cause: error });
  }
}
