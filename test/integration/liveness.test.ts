// Is a busy worker left alone, and a dead one found? Real processes, real signals; heartbeats ten times as often as by default.
import { afterEach, describe, expect, it } from 'vitest';

import type { Runtime } from '../../src/index.ts';
import { callsRuntime } from '../support/calls-runtime.ts';
import { nextEvent, rejection } from '../support/real-runtime.ts';

let runtime: Runtime;
afterEach(async () => {
  await runtime.stop();
});
const bridge = () => runtime.pool('calls');
const beating = { size: 1, heartbeatMs: 200 };

/** About half a second of one call into C on a machine of today, three heartbeats and more on a loaded one. */
const EXPONENT = 5_000_000;

describe('a worker that is stopped', () => {
  it('while idle is found after three missed heartbeats, killed and replaced (P5)', async () => {
    runtime = await callsRuntime(beating);
    const pid = (await bridge().call('pid')) as number;
    const crashed = nextEvent(runtime, 'child.crashed');
    process.kill(pid, 'SIGSTOP');
    expect(await crashed).toMatchObject({
      ...{ reason: { type: 'timeout', what: 'heartbeat' }, crashCause: 'hang' },
    });
    expect(await bridge().call('pid')).not.toBe(pid);
  });

  it('while busy fails its call with the reason, long before the deadline (P5)', async () => {
    runtime = await callsRuntime(beating);
    const pid = (await bridge().call('pid')) as number;
    const call = rejection(bridge().call('compute', { seconds: 60 }, { timeoutMs: 60_000 }));
    process.kill(pid, 'SIGSTOP');
    expect(await call).toMatchObject({
      code: 'worker_crashed',
      outcome: 'maybeExecuted',
      exitReason: { type: 'timeout', what: 'heartbeat' },
    });
  });
});

describe('a worker that is busy is left alone', () => {
  it.each([
    ['computing in short slices', 'compute', { seconds: 1.5 }],
    ['waiting with the interpreter lock released', 'wait', { seconds: 1.5 }],
    ['computing in one call into C that holds the lock', 'hold_gil', { exponent: EXPONENT }],
  ])('%s', async (_what, op, args) => {
    runtime = await callsRuntime(beating);
    const pid = await bridge().call('pid');
    await bridge().call(op, args);
    expect(await bridge().call('pid')).toBe(pid);
  });
});

describe('a worker that does not answer is killed', () => {
  it('when it holds the interpreter lock and does nothing, with the stacks of its threads (P5)', async () => {
    runtime = await callsRuntime(beating);
    const error = await rejection(bridge().call('freeze'));
    expect(error).toMatchObject({
      code: 'worker_crashed',
      exitReason: { type: 'timeout', what: 'heartbeat' },
      dump: expect.stringContaining('_freeze') as unknown,
    });
  });

  it('when it holds the lock for longer than it may (P5)', async () => {
    runtime = await callsRuntime({ ...beating, gilHoldMsMax: 400 });
    const error = await rejection(bridge().call('hold_gil', { exponent: 40 * EXPONENT }));
    expect(error).toMatchObject({
      code: 'worker_crashed',
      exitReason: { type: 'timeout', what: 'gil_hold' },
      crashCause: 'hang',
      dump: expect.stringContaining('_hold_gil') as unknown,
    });
  });
});
