// What is a checkout whose tools are all pretended, so that set-up can be watched without a network?
// The scripts of .ci are the real ones. npm, the compiler, Python, pip and uv are small scripts that
// write down their calls and leave behind what the real ones would.

import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');

const NPM = `#!/bin/sh
echo "npm $*" >> calls
sleep "\${FAKE_NPM_SECONDS:-0}"
if [ -n "$FAKE_NPM_ERROR" ]; then echo "$FAKE_NPM_ERROR" >&2; exit 7; fi
mkdir -p node_modules/typescript/bin
cp package-lock.json node_modules/.package-lock.json
echo '{}' > node_modules/typescript/package.json
cp bin/tsc node_modules/typescript/bin/tsc
`;

const TSC = `const { appendFileSync, existsSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync('calls', 'tsc\\n');
if (existsSync('src/broken.ts')) { console.log('src/broken.ts: not a program'); process.exit(2); }
const out = process.argv[process.argv.indexOf('--outDir') + 1];
mkdirSync(out + '/docs/examples', { recursive: true });
writeFileSync(out + '/docs/examples/main-job.js',
  'console.log(JSON.stringify({ args: process.argv.slice(2), python: process.env.CADUCEUS_PYTHON }));' +
  'process.exitCode = 3;');
`;

/** Answers the question for the version, makes an environment, and stands for pip and uv in it. */
const PYTHON = `#!/bin/sh
echo "python $*" >> calls
case "$*" in
  -c*) echo "\${FAKE_PYTHON_VERSION:-3.12.1}" ;;
  *"-m venv"*)
    if [ -n "$FAKE_VENV_ERROR" ]; then echo "$FAKE_VENV_ERROR" >&2; exit 1; fi
    mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *"-m uv"*) if [ -n "$FAKE_UV_ERROR" ]; then echo "$FAKE_UV_ERROR" >&2; exit 2; fi ;;
esac
`;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Checkout implements Disposable {
  readonly root = mkdtempSync(path.join(tmpdir(), 'caduceus-setup-'));

  constructor() {
    cpSync(path.join(REPOSITORY, '.ci'), this.path('.ci'), { recursive: true });
    this.write('package.json', '{ "engines": { "node": ">=20.19" } }');
    const packages = { '': {}, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } };
    this.write('package-lock.json', JSON.stringify({ packages }));
    this.write('src/index.ts', '// A source.\n');
    this.write('tsconfig.json', '{}');
    this.write('python/requirements/dspy.txt', 'dspy\n');
    this.write('python/requirements/dev.txt', 'pytest\n');
    this.write('python/constraints.txt', 'dspy==1\n');
    this.program('npm', NPM);
    this.program('python3', PYTHON);
    this.write('bin/tsc', TSC);
    // The path holds nothing else, so that no real Python or npm of the machine is found.
    for (const tool of ['sh', 'cp', 'mkdir', 'sleep']) this.link(tool);
    symlinkSync(process.execPath, this.path('bin/node'));
  }

  path(relative: string): string {
    return path.join(this.root, relative);
  }

  write(relative: string, text: string): void {
    mkdirSync(path.dirname(this.path(relative)), { recursive: true });
    writeFileSync(this.path(relative), text);
  }

  program(name: string, text: string): void {
    this.write(`bin/${name}`, text);
    chmodSync(this.path(`bin/${name}`), 0o755);
  }

  /** The calls of pretended tools since the last time that this was asked. */
  calls(): string[] {
    const file = this.path('calls');
    if (!existsSync(file)) return [];
    const calls = readFileSync(file, 'utf8').trimEnd().split('\n');
    rmSync(file);
    return calls;
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [...args], {
      cwd: this.root,
      env: { PATH: this.path('bin'), HOME: this.root, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    const ended = new Promise<Ended>((resolve) => {
      child.once('close', (status) => {
        resolve({ status, stdout, stderr });
      });
    });
    return { child, ended };
  }

  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return this.start(args, env).ended;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  private link(tool: string): void {
    const place = ['/bin', '/usr/bin'].map((folder) => `${folder}/${tool}`).find(existsSync);
    if (place === undefined) throw new Error(`this machine has no ${tool}`);
    symlinkSync(place, this.path(`bin/${tool}`));
  }
}
