// Does set-up provide what is missing, only that, and say plainly what stands in its way?

import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Checkout } from './checkout.ts';

const ALL = ['.ci/setup.mjs', 'build', 'dspy', 'dev'];

describe('set-up', () => {
  it('provides everything once, and nothing twice', async () => {
    using checkout = new Checkout();
    const first = await checkout.run(ALL);
    expect(first).toMatchObject({ status: 0, stdout: '' });
    expect(first.stderr).toMatch(/ {2}• Node packages \(npm ci\) … \d+\.\d s\n/u);
    expect(checkout.calls().map((call) => call.split(' ').slice(0, 3).join(' '))).toEqual([
      'npm ci --no-audit',
      'tsc',
      'python -c import',
      'python -m venv',
      'python -m pip',
      'python -m uv',
    ]);
    expect(await checkout.run(ALL)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(checkout.calls()).toEqual([]);
  });

  it('installs Node packages again when the lock file names others', async () => {
    using checkout = new Checkout();
    await checkout.run(ALL);
    checkout.calls();
    const packages = { 'node_modules/a': { version: '2.0.0' } };
    checkout.write('package-lock.json', JSON.stringify({ packages }));
    await checkout.run(ALL);
    expect(checkout.calls()).toEqual([expect.stringMatching(/^npm ci/u)]);
  });

  it('does not miss optional packages that are made for other systems', async () => {
    using checkout = new Checkout();
    await checkout.run(ALL);
    checkout.calls();
    const packages = {
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/other-system': { version: '1.0.0', optional: true },
    };
    checkout.write('package-lock.json', JSON.stringify({ packages }));
    await checkout.run(ALL);
    expect(checkout.calls()).toEqual([]);
  });

  it('builds again when a source changed, and drops what a deleted source left', async () => {
    using checkout = new Checkout();
    await checkout.run(ALL);
    checkout.calls();
    checkout.write('dist/src/deleted.js', '');
    checkout.write('src/index.ts', '// Another source.\n');
    await checkout.run(ALL);
    expect(checkout.calls()).toEqual(['tsc']);
    expect(existsSync(checkout.path('dist/src/deleted.js'))).toBe(false);
  });

  it('keeps the last good build when the next one fails', async () => {
    using checkout = new Checkout();
    await checkout.run(ALL);
    checkout.write('src/broken.ts', '');
    const failed = await checkout.run(ALL);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain('Build (tsc) … failed');
    expect(failed.stderr).toContain('  | src/broken.ts: not a program');
    expect(failed.stderr).toContain('exit status 2');
    expect(existsSync(checkout.path('dist/docs/examples/main-job.js'))).toBe(true);
  });

  it('installs only the set of Python packages that is missing', async () => {
    using checkout = new Checkout();
    await checkout.run(['.ci/setup.mjs', 'dspy']);
    checkout.calls();
    await checkout.run(['.ci/setup.mjs', 'dspy', 'dev']);
    const calls = checkout.calls().join('\n');
    expect(calls).toContain('-r python/requirements/dev.txt -c python/constraints.txt');
    expect(calls).not.toContain('dspy.txt');
    expect(calls).not.toContain('-m venv');
  });

  it('goes on with pip when uv cannot do it', async () => {
    using checkout = new Checkout();
    const ended = await checkout.run(ALL, { FAKE_UV_ERROR: 'uv does not like this machine' });
    expect(ended.status).toBe(0);
    expect(ended.stderr).toContain('going on with pip');
    expect(ended.stderr).toContain('uv does not like this machine');
    expect(checkout.calls().at(-1)).toMatch(/-m pip .*dspy\.txt .*dev\.txt/u);
  });

  it('makes the environment anew for another CADUCEUS_PYTHON, but not for its own', async () => {
    using checkout = new Checkout();
    await checkout.run(ALL);
    checkout.calls();
    await checkout.run(ALL, { CADUCEUS_PYTHON: checkout.path('.venv/bin/python') });
    expect(checkout.calls()).toEqual([]);
    await checkout.run(ALL, { CADUCEUS_PYTHON: checkout.path('bin/python3') });
    expect(checkout.calls().join('\n')).toContain('-m venv');
  });
});

describe('what stands in the way', () => {
  it.each([
    [
      'no Python',
      { CADUCEUS_PYTHON: '/nowhere/python' },
      ['CADUCEUS_PYTHON names /nowhere/python', 'Python 3.11 or newer'],
    ],
    [
      'an old Python',
      { FAKE_PYTHON_VERSION: '3.9.2' },
      ['python3 is 3.9.2', 'apt install python3', 'brew install', 'CADUCEUS_PYTHON='],
    ],
    [
      'no venv module',
      { FAKE_VENV_ERROR: 'ensurepip is not available' },
      ['ensurepip is not available', 'apt install python3-venv'],
    ],
    [
      'no network',
      { FAKE_NPM_ERROR: 'npm error code EAI_AGAIN' },
      ['npm ci', 'EAI_AGAIN', 'exit status 7', 'Check the network'],
    ],
    [
      'a lock file that was left behind',
      { FAKE_NPM_ERROR: '`npm ci` can only install packages when …' },
      ['package.json was changed without package-lock.json', 'npm install'],
    ],
  ])('%s is named, with what to do', async (_what, env, texts) => {
    using checkout = new Checkout();
    const ended = await checkout.run(ALL, env);
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    for (const text of texts) expect(ended.stderr).toContain(text);
    // The next run is not kept waiting by this one.
    expect(existsSync(checkout.path('.cache/setup.lock'))).toBe(false);
  });

  it('a machine without any Python is told how to get one', async () => {
    using checkout = new Checkout();
    rmSync(checkout.path('bin/python3'));
    const ended = await checkout.run(ALL);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain('none was found');
    expect(ended.stderr).toContain('https://www.python.org/downloads/');
  });

  it('a Node that is too old is named with its version', async () => {
    using checkout = new Checkout();
    checkout.write('package.json', '{ "engines": { "node": ">=99.1" } }');
    const ended = await checkout.run(ALL);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain(`Node >=99.1 is needed, and this is ${process.versions.node}`);
    expect(checkout.calls()).toEqual([]);
  });
});

describe('two set-ups of one checkout', () => {
  it('take turns, and the second finds everything done', async () => {
    using checkout = new Checkout();
    const slow = { FAKE_NPM_SECONDS: '0.5' };
    const ended = await Promise.all([checkout.run(ALL, slow), checkout.run(ALL, slow)]);
    expect(ended.map(({ status }) => status)).toEqual([0, 0]);
    const installs = checkout.calls().filter((call) => call.startsWith('npm'));
    expect(installs).toHaveLength(1);
    expect(ended.map(({ stderr }) => stderr).join('')).toContain('waiting for another set-up');
  });

  it('take over a lock whose owner is dead', async () => {
    using checkout = new Checkout();
    const dead = checkout.start(['-e', '0']);
    await dead.ended;
    mkdirSync(checkout.path('.cache/setup.lock'), { recursive: true });
    writeFileSync(checkout.path('.cache/setup.lock/owner'), `${String(dead.child.pid)} 0`);
    expect((await checkout.run(ALL)).status).toBe(0);
    expect(readdirSync(checkout.path('.cache'))).toEqual([]);
  });
});

describe('a signal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends what set-up had started', async (signal) => {
    using checkout = new Checkout();
    const setup = checkout.start(ALL, { FAKE_NPM_SECONDS: '30' });
    while (!existsSync(checkout.path('calls'))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const startedMs = Date.now();
    setup.child.kill(signal);
    // Its output closes only after the last process that holds it has ended.
    const ended = await setup.ended;
    expect(Date.now() - startedMs).toBeLessThan(3_000);
    expect(ended.status).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(existsSync(checkout.path('.cache/setup.lock'))).toBe(false);
    expect((await checkout.run(ALL)).status).toBe(0);
  });
});

describe('npm start', () => {
  it('becomes the demo: its arguments, output and exit status, and nothing else on stdout', async () => {
    using checkout = new Checkout();
    const ended = await checkout.run(['.ci/start.mjs', '--json', 'a b']);
    const python = checkout.path('.venv/bin/python');
    expect(JSON.parse(ended.stdout)).toEqual({ args: ['--json', 'a b'], python });
    expect(ended.status).toBe(3);
  });

  it('says so when there is no such program', async () => {
    using checkout = new Checkout();
    const ended = await checkout.run(['.ci/bench.mjs']);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain(path.join('dist', 'test/bench/main.js'));
  });
});

it('the script for CI can be executed', () => {
  const { mode } = statSync(path.resolve(import.meta.dirname, '../../.ci/run'));
  expect(mode & 0o111).not.toBe(0);
});
