// What does a user hear who gets something wrong? On real processes.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createRuntime, defineAdapter, dspy, type Runtime } from '../../src/index.ts';
import { echoAdapter, echoRuntime, fixture, PYTHON, rejection } from '../support/real-runtime.ts';

const bridges = { echo: { adapter: echoAdapter, scriptPath: fixture('echo_bridge.py') } };

describe('the interpreter', () => {
  it('is missed with a list of what was tried', async () => {
    const error = await rejection(createRuntime({ python: '/nowhere/python', bridges }));
    expect(error).toMatchObject({ code: 'python_not_found' });
    expect(error.message).toContain('/nowhere/python');
    expect(error.message).toContain('CADUCEUS_PYTHON');
  });

  it('is refused when it is too old, with the version found and the one wanted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'caduceus-test-'));
    const old = join(folder, 'python');
    writeFileSync(old, `#!/bin/sh\necho '["${old}", "3.8.18"]'\n`);
    chmodSync(old, 0o755);
    const error = await rejection(createRuntime({ python: old, bridges }));
    rmSync(folder, { recursive: true });
    expect(error).toMatchObject({ code: 'python_too_old', found: '3.8.18', wanted: '3.10' });
  });
});

describe('the bridge', () => {
  it('is refused when its script is missing, before anything is started', async () => {
    const error = await rejection(
      createRuntime({
        python: PYTHON,
        bridges: { echo: { adapter: echoAdapter, scriptPath: './no.py' } },
      }),
    );
    expect(error).toMatchObject({ code: 'script_not_found' });
    expect(error.message).toContain('no.py');
  });

  for (const [script, message] of [
    ['import_raises.py', 'this bridge is broken by design'],
    ['import_raises_late.py', 'this bridge breaks after two seconds'],
  ] as const) {
    it(`that raises at its first import is not tried again, and tells Python's traceback (P11, P12): ${script}`, async () => {
      const error = await rejection(echoRuntime({ size: 1 }, { script }));
      expect(error).toMatchObject({ code: 'pool_failed' });
      expect(error.message).toContain('not retryable');
      const cause = error.cause as Error & Record<string, unknown>;
      expect(cause).toMatchObject({ code: 'bridge_start_failed', pythonType: 'RuntimeError' });
      expect(cause.message).toContain(message);
      expect(cause['traceback']).toContain(script);
      expect(cause['traceback']).toContain('raise RuntimeError');
    });
  }

  it('that hangs at import is ended by the start timeout (P10)', async () => {
    const error = await rejection(
      echoRuntime(
        { size: 1, startTimeoutMs: 300, maxConsecutiveStartFailures: 1 },
        { script: 'import_hangs.py' },
      ),
    );
    expect(error).toMatchObject({ code: 'pool_failed' });
    expect(error.message).toContain('timeout of start');
  });

  it('whose packages are missing says which, and how to install them', async () => {
    const error = await rejection(
      createRuntime({
        python: PYTHON,
        logger: false,
        bridges: {
          exotic: {
            adapter: defineAdapter({ framework: 'exotic', operations: {} }),
            scriptPath: fixture('echo_bridge.py'),
            requiredPackages: ['caduceus-no-such-package'],
            pool: { size: 1, maxConsecutiveStartFailures: 1 },
          },
        },
      }),
    );
    const cause = error.cause as Error & Record<string, unknown>;
    expect(cause).toMatchObject({ code: 'package_missing' });
    expect(cause.message).toContain('exotic');
    expect(cause.message).toContain('caduceus-no-such-package');
    expect(cause.message).toContain('-m pip install');
  });
});

describe('the configuration', () => {
  it.each([
    [{ bridges: [] }, 'bridges'],
    [{ bridges, defualt: 'echo' }, 'config'],
    [{ bridges, default: 'nope' }, 'default'],
    [{ bridges: { echo: { ...bridges.echo, pool: { size: 0 } } } }, 'bridges.echo.pool.size'],
    [{ bridges: { echo: { ...bridges.echo, pool: { sizes: 2 } } } }, 'bridges.echo.pool'],
    [{ bridges: { echo: { adapter: 'dpsy' } } }, 'bridges.echo.adapter'],
    [{ bridges: { 'a b': bridges.echo } }, 'bridges.a b'],
  ])('is refused with the name of the field: %#', async (config, field) => {
    const error = await rejection(createRuntime(config as never));
    expect(error).toMatchObject({ code: 'invalid_config', field });
  });

  it('is refused by the adapter before it is sent to Python', () => {
    expect(() => dspy().validateConfig?.({ model: 'm', temprature: 1 })).toThrow(/temprature/u);
    expect(() => dspy().validateConfig?.({})).toThrow(/config\.model/u);
  });
});

describe('a call', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await echoRuntime({ size: 1 });
  });
  afterAll(async () => {
    await runtime.stop();
  });

  it('of an unknown operation names those there are', async () => {
    const error = await rejection(runtime.pool('echo').call('ecko'));
    expect(error).toMatchObject({ code: 'unknown_operation', outcome: 'notSent' });
    expect(error.message).toContain('ping');
  });

  it('of an unknown bridge names those there are', () => {
    expect(() => runtime.pool('nope')).toThrow(/there are echo/u);
  });

  it('with a value that cannot cross is refused with its path', async () => {
    const error = await rejection(
      runtime.pool('echo').call('echo', { rows: [{ score: new Map() }] }),
    );
    expect(error).toMatchObject({
      code: 'unencodable',
      path: 'args.rows[0].score',
      outcome: 'notSent',
    });
  });

  it('whose result cannot be sent fails alone, with the path', async () => {
    const error = await rejection(runtime.pool('echo').call('unsendable'));
    expect(error).toMatchObject({ code: 'unencodable' });
    expect(error.message).toContain('[1].deep');
    expect(await runtime.pool('echo').call('echo', { a: 1 })).toEqual({ a: 1 });
  });

  it('in which Python raises carries type, message, traceback and cause', async () => {
    const error = await rejection(runtime.pool('echo').call('raise', { message: 'outer' }));
    expect(error).toMatchObject({ code: 'python_error', pythonType: 'ValueError', bridge: 'echo' });
    expect(error['traceback']).toContain('echo_bridge.py');
    expect(error.cause).toMatchObject({ pythonType: 'KeyError' });
  });

  it.each([
    [{ timeoutMs: 0 }, 'options.timeoutMs'],
    [{ timeoutMs: Number.NaN }, 'options.timeoutMs'],
    [{ sessionId: '' }, 'options.sessionId'],
    [{ sessionId: 5 as never }, 'options.sessionId'],
    [{ signal: {} as never }, 'options.signal'],
  ])('with bad options is refused: %j', async (options, field) => {
    const error = await rejection(runtime.pool('echo').call('echo', {}, options));
    expect(error).toMatchObject({ code: 'invalid_config', field });
  });

  it('after stop() is refused', async () => {
    const stopped = await echoRuntime({ size: 1 });
    await stopped.stop();
    const error = await rejection(stopped.pool('echo').call('echo'));
    expect(error).toMatchObject({ code: 'runtime_stopped', outcome: 'notSent' });
  });
});
