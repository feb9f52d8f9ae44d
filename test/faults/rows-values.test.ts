// Which values does neither side get wrong, and what if they are more than the other one reads? Rows W6, W7, W8 and W15 of docs/faults.md, on real processes.
import { afterEach, describe, expect, it } from 'vitest';

import type { Runtime } from '../../src/index.ts';
import { isAlive, rejection } from '../support/real-runtime.ts';
import { isWhole, leaveNobody, rowsRuntime } from '../support/rows-runtime.ts';

const MIB = 2 ** 20;
/** So seldom that something else finds a worker that is stopped. */
const SELDOM_MS = 60_000;

let runtime: Runtime;
afterEach(leaveNobody);

const started = async (...given: Parameters<typeof rowsRuntime>) => {
  runtime = await rowsRuntime(...given);
  await isWhole(runtime);
  return runtime.pool('rows');
};

describe('numbers', () => {
  it('W6 NaN and the infinities cross both ways, as what they are', async () => {
    const pool = await started();
    const floats = { all: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] };
    expect(await pool.call('echo', floats)).toEqual(floats);
  });

  it('W7 integers beyond 2^53 cross both ways, to the last digit', async () => {
    const pool = await started();
    const sent = { small: 2n ** 53n + 1n, large: -(10n ** 5_000n) };
    expect(await pool.call('echo', sent)).toEqual(sent);
    expect(await pool.call('power', { base: 2, exponent: 53 })).toBe(2n ** 53n + 1n);
    expect(await pool.call('power', { base: 10, exponent: 5_000 })).toBe(10n ** 5_000n + 1n);
  });

  it('W7 an integer that is too long for the wire is an error of its call, and its worker lives', async () => {
    const pool = await started();
    const pid = await pool.call('pid');
    const error = await rejection(pool.call('power', { base: 16, exponent: 70_000 }));
    expect(error).toMatchObject({ code: 'unencodable' });
    const unsent = await rejection(pool.call('echo', { large: 16n ** 70_000n }));
    expect(unsent).toMatchObject({ code: 'unencodable', outcome: 'notSent', path: 'args.large' });
    expect(await pool.call('pid')).toBe(pid);
  });
});

describe('nesting', () => {
  it('W8 without end is an error of its call on either side, and its worker lives', async () => {
    const pool = await started();
    const pid = await pool.call('pid');
    const error = await rejection(pool.call('nested', { depth: 100_000 }));
    expect(error).toMatchObject({ code: 'unencodable' });
    let deep: unknown[] = [];
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    const unsent = await rejection(pool.call('echo', { deep }));
    expect(unsent).toMatchObject({ code: 'unencodable', outcome: 'notSent' });
    expect(await pool.call('pid')).toBe(pid);
  });

  it('W8 keys such as __proto__ are data on either side', async () => {
    const pool = await started();
    const sent = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}') as object;
    const found = (await pool.call('echo', { sent })) as { readonly sent: object };
    expect(Object.entries(found.sent)).toEqual(Object.entries(sent));
    expect(Object.getPrototypeOf(found.sent)).toBe(Object.prototype);
  });
});

describe('a worker that does not read', () => {
  it('W15 holds back one call and none behind it, takes no memory for those, and is ended by the deadline', async () => {
    const pool = await started({ heartbeatMs: SELDOM_MS, queueBytesMax: 512 * MIB });
    const pid = (await pool.call('pid')) as number;
    const data = Buffer.alloc(32 * MIB);
    process.kill(pid, 'SIGSTOP');
    const beforeBytes = process.memoryUsage().arrayBuffers;
    const stuck = rejection(pool.call('pid', { data }, { timeoutMs: 500 }));
    const behind = Array.from({ length: 8 }, () => pool.call('pid', { data }));
    expect(pool.statistics().gauges).toMatchObject({ busy: 1, queued: 8 });
    expect(await stuck).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    // What waits is what its callers hold already, nine times the same.
    expect(process.memoryUsage().arrayBuffers - beforeBytes).toBeLessThan(data.length);
    expect(new Set(await Promise.all(behind)).size).toBe(1);
    const pools = runtime.tree().children.filter(({ id }) => id !== 'registry');
    expect([isAlive(pid), pools.length]).toEqual([false, 1]);
  });
});
