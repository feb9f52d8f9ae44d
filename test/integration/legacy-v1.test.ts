// What becomes of v1 scripts that die, print, answer wrongly or not at all? Real processes, real signals. Names in brackets are rows of the list of faults.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import type { Runtime } from '../../src/index.ts';
import { legacyRuntime, legacyScript, PYTHON_3_8 } from '../support/legacy-runtime.ts';
import { isAlive, nextEvent, rejection, until } from '../support/real-runtime.ts';

let runtime: Runtime;
afterEach(async () => {
  await runtime.stop();
});

const faulty = async (
  ...rest: Parameters<typeof legacyRuntime> extends [string, ...infer Rest] ? Rest : never
) => {
  runtime = await legacyRuntime('faulty_v1.py', ...rest);
  return runtime.pool('legacy');
};

function workers(): readonly { readonly pid: number | undefined; readonly epoch: number }[] {
  return runtime.tree().children[0]?.children ?? [];
}

describe('a v1 script', () => {
  it('is run with nothing of ours on its path, and with what its incarnation is told', async () => {
    const pool = await faulty({}, { env: { GIVEN: 'yes' } });
    expect(await pool.call('argv')).toEqual(['--mode', 'pool-worker', '--worker-id', 'legacy/0']);
    const path = (await pool.call('path')) as string[];
    expect(path[0]).toBe(legacyScript('').replace(/\/$/u, ''));
    expect(path.filter((folder) => folder.includes(join('python', 'src')))).toEqual([]);
    const environ = (await pool.call('environ')) as Record<string, string>;
    expect(environ).toMatchObject({ GIVEN: 'yes', CADUCEUS_RUN: expect.any(String) as string });
    expect(environ['CADUCEUS_INCARNATION']).toContain('legacy/0');
    expect(existsSync(environ['CADUCEUS_SCRATCH_DIR'] ?? '')).toBe(true);
    expect(environ).not.toHaveProperty('CADUCEUS_WORKER');
  });

  it('answers calls one after the other, in order, with values that JSON has', async () => {
    const pool = await faulty();
    const many = Array.from({ length: 50 }, (_, n) => ({ n, text: 'é\ud83d', $: [null, -1.5] }));
    expect(await Promise.all(many.map((args) => pool.call('echo', args)))).toEqual(many);
  });

  it('carries megabytes, and a reply that comes byte by byte (W16)', async () => {
    const pool = await faulty();
    const text = 'x'.repeat(4 * 2 ** 20);
    expect(await pool.call('echo', { text })).toEqual({ text });
    expect(await pool.call('large', { bytes: 8 * 2 ** 20 })).toHaveLength(8 * 2 ** 20);
    expect(await pool.call('one_byte_at_a_time')).toBe('whole');
  });

  it('is told the session of a call among its arguments', async () => {
    const pool = await faulty();
    const options = { sessionId: 'alice' };
    expect(await pool.call('echo', { a: 1 }, options)).toEqual({ a: 1, session_id: 'alice' });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
  });

  it('is not sent what JSON lacks', async () => {
    const pool = await faulty();
    for (const [value, path] of [
      [[{ score: Number.NaN }], 'args.rows[0].score'],
      [2n ** 64n, 'args.rows'],
      [new Float32Array(2), 'args.rows'],
      [new Date(0), 'args.rows'],
    ] as const) {
      const error = await rejection(pool.call('echo', { rows: value }));
      expect(error).toMatchObject({ code: 'unencodable', outcome: 'notSent', path });
    }
    expect(await pool.call('echo', { fine: 1 })).toEqual({ fine: 1 });
  });

  it('has its stderr told, line by line, with the call that ran', async () => {
    const pool = await faulty();
    const pid = (await pool.call('pid')) as number;
    const told = nextEvent(runtime, 'worker.output');
    const complained = rejection(pool.call('complain'));
    expect(await told).toMatchObject({
      ...{ path: 'legacy/0', epoch: 1, stream: 'stderr', line: 'careful' },
      callId: expect.any(Number) as number,
    });
    process.kill(pid, 'SIGKILL');
    expect(await complained).toMatchObject({ stderrTail: 'careful\n' });
  });

  it.skipIf(PYTHON_3_8 === undefined)(
    'runs on Python 3.8, where nothing of ours does (skipped where there is none)',
    async () => {
      const pool = await faulty({}, { python: PYTHON_3_8 });
      expect(await pool.call('python')).toBe('3.8');
    },
  );
});

describe('a call of a v1 script', () => {
  it('that fails leaves the worker alone, and so does a result with NaN (W6)', async () => {
    const pool = await faulty();
    const pid = await pool.call('pid');
    expect(await rejection(pool.call('fail'))).toMatchObject({
      ...{ code: 'python_error', pythonType: 'Error', message: 'Error: no luck' },
      outcome: 'maybeExecuted',
    });
    expect(await rejection(pool.call('nan'))).toMatchObject({ code: 'unencodable' });
    expect(await pool.call('pid')).toBe(pid);
  });

  it('that outlives its deadline has its worker replaced', async () => {
    const pool = await faulty({ maxRestarts: 0 });
    const pid = (await pool.call('pid')) as number;
    const late = rejection(pool.call('sleep', { seconds: 60 }, { timeoutMs: 100 }));
    expect(await late).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    expect(await pool.call('pid')).not.toBe(pid);
    expect(isAlive(pid)).toBe(false);
  });

  it('that is aborted has its worker replaced', async () => {
    const pool = await faulty({ maxRestarts: 0 });
    const pid = await pool.call('pid');
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const aborted = rejection(pool.call('sleep', { seconds: 60 }, options));
    await until(() => pool.statistics().gauges.busy === 1, 5_000);
    controller.abort(new Error('enough'));
    expect(await aborted).toMatchObject({ code: 'aborted', outcome: 'maybeExecuted' });
    expect(await pool.call('pid')).not.toBe(pid);
  });

  it('may not ask for a stream', async () => {
    const pool = await faulty();
    const asked = async (): Promise<void> => {
      for await (const _ of pool.stream('echo', { a: 1 })) return;
    };
    expect(await rejection(asked())).toMatchObject({ code: 'unsupported', outcome: 'notSent' });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
  });
});

describe('a v1 script that dies', () => {
  it('by SIGKILL in a call fails it with a typed error, and loses no waiting call (P3)', async () => {
    const pool = await faulty();
    const pid = (await pool.call('pid')) as number;
    const inFlight = rejection(pool.call('sleep', { seconds: 60 }));
    const waiting = pool.call('pid');
    process.kill(pid, 'SIGKILL');
    expect(await inFlight).toMatchObject({
      ...{ code: 'worker_crashed', outcome: 'maybeExecuted', workerId: 'legacy/0', epoch: 1 },
      exitReason: { type: 'signal', signal: 'SIGKILL' },
    });
    expect(await waiting).not.toBe(pid);
    expect(workers()[0]?.epoch).toBe(2);
  });

  it.each([
    ['with status 0, which never means success (P1)', 'exit', { status: 0 }, { type: 'normal' }],
    ['with a status (P2)', 'exit', { status: 7 }, { type: 'exit_status', status: 7 }],
    ['in the middle of a reply (P13)', 'half_a_frame', {}, { type: 'exit_status', status: 3 }],
  ])(
    '%s fails its call, and the next incarnation starts clean',
    async (_how, op, args, exitReason) => {
      const pool = await faulty();
      const error = await rejection(pool.call(op, args));
      expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted', exitReason });
      expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
    },
  );

  it('takes its children with it', async () => {
    const pool = await faulty();
    const pid = (await pool.call('pid')) as number;
    const grandchild = (await pool.call('grandchild')) as number;
    process.kill(pid, 'SIGKILL');
    await until(() => !isAlive(grandchild), 5_000);
  });

  it('while it is idle is there again before anybody notices', async () => {
    const pool = await faulty();
    const ready = nextEvent(runtime, 'child.ready', ({ epoch }) => epoch === 2);
    process.kill((await pool.call('pid')) as number, 'SIGKILL');
    await ready;
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
  });
});

describe('a v1 script that breaks its wire', () => {
  it.each([
    ['a print (W4)', 'print', /begins "loading the model.*may not print/u],
    ['a print of nothing before a reply', 'print_nothing', /no JSON object.*begins "\\n/u],
    ['a length beyond all limits (W2)', 'oversize', /4294967295 bytes, at most/u],
    ['a length of nothing (W2)', 'empty', /length of 0 bytes/u],
    ['invalid UTF-8 (W5)', 'not_utf8', /invalid UTF-8/u],
    ['invalid JSON (W3)', 'no_json', /invalid JSON/u],
    ['a reply without an id', 'no_id', /id is no integer/u],
  ])('by %s is ended with that finding, and no other with it', async (_how, op, finding) => {
    const pool = await faulty({ size: 2 });
    await until(() => pool.statistics().gauges.idle === 2, 10_000);
    const error = await rejection(pool.call(op));
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(error.cause).toMatchObject({ code: 'protocol_error' });
    expect((error.cause as Error).message).toMatch(finding);
    await until(() => pool.statistics().gauges.idle === 2, 10_000);
    expect(
      workers()
        .map(({ epoch }) => epoch)
        .sort(),
    ).toEqual([1, 2]);
  });

  it('by closing it is killed at once, not at the deadline (W13)', async () => {
    const pool = await faulty();
    const error = await rejection(pool.call('close_stdout'));
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
  });

  it('only by a reply too many is left alone: the first counts, the second is dropped and told (W9)', async () => {
    const pool = await faulty();
    const pid = await pool.call('pid');
    const dropped = nextEvent(runtime, 'reply.dropped');
    expect(await pool.call('twice')).toBe('first');
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
    expect(await dropped).toMatchObject({ path: 'legacy/0', epoch: 1 });
    expect(await pool.call('pid')).toBe(pid);
  });

  it('only by a reply to nobody is left alone: it is dropped and told (W10)', async () => {
    const pool = await faulty();
    const dropped = nextEvent(runtime, 'reply.dropped');
    expect(await pool.call('with_another_id')).toBe('for you');
    expect(await dropped).toMatchObject({ path: 'legacy/0', epoch: 1 });
  });
});

describe('the start of a v1 script', () => {
  const fails = (script: string, pool: object = {}, env: Record<string, string> = {}) =>
    rejection(legacyRuntime(script, { maxConsecutiveStartFailures: 1, ...pool }, { env }));
  // Nothing is left to be stopped.
  const nothing = { stop: () => Promise.resolve() } as unknown as Runtime;

  it('that fails at an import says so with Python’s traceback (P11)', async () => {
    runtime = nothing;
    const error = await fails('import_raises_v1.py');
    expect(error).toMatchObject({ code: 'pool_failed' });
    expect(error.cause).toMatchObject({
      ...{ code: 'bridge_start_failed', pythonType: 'ModuleNotFoundError' },
      message: expect.stringContaining("No module named 'a_module_that_nobody_has'") as string,
      traceback: expect.stringContaining('import_raises_v1.py') as string,
    });
  });

  it('that never answers its ping is ended by the start timeout (P10)', async () => {
    runtime = nothing;
    const error = await fails('faulty_v1.py', { startTimeoutMs: 500 }, { V1_MUTE: 'ping' });
    expect(error.message).toContain('timeout of start');
  });

  it('may take its time', async () => {
    const pool = await faulty({}, { env: { V1_STARTS_AFTER_S: '0.5' } });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
  });

  it('is not tried where a package is missing', async () => {
    runtime = nothing;
    const requiredPackages = ['caduceus-no-such-package'];
    const error = await rejection(legacyRuntime('faulty_v1.py', {}, { requiredPackages }));
    expect(error).toMatchObject({ code: 'package_missing' });
    expect(error.message).toContain('-m pip install caduceus-no-such-package');
  });

  it.each([
    [{ scriptPath: undefined }, 'bridges.legacy.scriptPath'],
    [{ pythonClass: 'Mine' }, 'bridges.legacy.pythonClass'],
    [{ protocol: 'v2' as never }, 'bridges.legacy.protocol'],
  ])('is refused with a configuration that means nothing to it: %j', async (more, field) => {
    runtime = nothing;
    const error = await rejection(legacyRuntime('faulty_v1.py', {}, more));
    expect(error).toMatchObject({ code: 'invalid_config', field });
  });
});

describe('a v1 script that does not go', () => {
  it('is ended by the ladder within its time (S4)', async () => {
    const pool = await faulty({ shutdownMs: 200 });
    const pid = (await pool.call('pid')) as number;
    await pool.call('stubborn');
    await runtime.stop();
    expect(isAlive(pid)).toBe(false);
  });
});
