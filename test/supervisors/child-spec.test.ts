import { describe, expect, it } from 'vitest';
import { withDefaults, type ChildSpec } from '../../supervisors/child-spec.ts';

const start = () => {
  throw new Error('not started here');
};

describe('a child specification', () => {
  it("has OTP's defaults for a worker", () => {
    expect(withDefaults({ id: 'a', start }, undefined)).toEqual({
      ...{ id: 'a', start, restart: 'permanent', shutdown: 5_000, type: 'worker', ack: 'ready' },
      ...{ significant: false, startTimeoutMs: 60_000 },
      input: undefined,
      maxConsecutiveStartFailures: Number.POSITIVE_INFINITY,
    });
  });

  it('has the default of every key that is there with no value', () => {
    const nothing = { restart: undefined, shutdown: undefined, type: undefined, name: undefined };
    const spec = { id: 'a', start, ...nothing } as unknown as ChildSpec;
    const full = withDefaults(spec, undefined);
    expect(full).toMatchObject({ restart: 'permanent', shutdown: 5_000, type: 'worker' });
    expect('name' in full).toBe(false);
  });

  it('has no name, back-off or judge of reasons unless it is given one', () => {
    const keys = Object.keys(withDefaults({ id: 'a', start }, undefined));
    expect(keys.filter((key) => ['name', 'backoff', 'isRetryable'].includes(key))).toEqual([]);
  });

  it('gives a supervisor all the time that it needs to stop', () => {
    expect(withDefaults({ id: 'a', start, type: 'supervisor' }, undefined)).toMatchObject({
      shutdown: 'infinity',
    });
  });

  it.each([
    ['supervisor', 'infinity'],
    ['worker', 5_000],
  ] as const)('takes its type from its start, where that has one: %s', (kind, shutdown) => {
    expect(withDefaults({ id: 'a', start }, kind)).toMatchObject({ type: kind, shutdown });
  });

  it('keeps a type of its own, whatever its start says', () => {
    const spec = withDefaults({ id: 'a', start, type: 'worker' }, 'supervisor');
    expect([spec.type, spec.shutdown]).toEqual(['worker', 5_000]);
  });

  it.each([
    { restart: 'transient' },
    { significant: true },
    { shutdown: 'brutal_kill' },
    { shutdown: 0 },
    { ack: 'spawned' },
    { maxConsecutiveStartFailures: 2 },
    { startTimeoutMs: 7 },
    { type: 'supervisor', shutdown: 7 },
    { input: { some: 'thing' } },
    { name: 'somebody' },
    { backoff: { minMs: 1, maxMs: 2 } },
    { isRetryable: () => false },
  ] as const)('keeps what it is given: %o', (given) => {
    expect(withDefaults({ id: 'a', start, ...given }, undefined)).toMatchObject(given);
  });
});
