import { describe, expect, it } from 'vitest';
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import { rowsOf } from '../../supervisors/child-row.ts';
import { fullChildSpec } from '../../supervisors/child-spec.ts';

const start = () => {
  throw new Error('not started here');
};

describe('a child specification', () => {
  it("has OTP's defaults for a worker", () => {
    expect(fullChildSpec({ id: 'a', start })).toEqual({
      ...{ id: 'a', start, restart: 'permanent', shutdown: 5_000, type: 'worker', ack: 'ready' },
      maxConsecutiveStartFailures: Number.POSITIVE_INFINITY,
    });
  });

  it('gives a supervisor all the time that it needs to stop', () => {
    expect(fullChildSpec({ id: 'a', start, type: 'supervisor' }).shutdown).toBe('infinity');
  });

  it.each([
    { restart: 'transient' },
    { shutdown: 'brutal_kill' },
    { shutdown: 0 },
    { ack: 'spawned' },
    { maxConsecutiveStartFailures: 2 },
    { type: 'supervisor', shutdown: 7 },
  ] as const)('keeps what it is given: %o', (given) => {
    expect(fullChildSpec({ id: 'a', start, ...given })).toMatchObject(given);
  });

  it('is refused without an id', () => {
    expect(() => fullChildSpec({ id: '', start })).toThrow(InvalidConfigError);
  });

  it('is refused when its id comes twice, which the error names', () => {
    const twice = [
      { id: 'a', start },
      { id: 'b', start },
      { id: 'a', start },
    ];
    expect(() => rowsOf(twice)).toThrow(/children\[\]\.id: a comes twice/u);
  });
});
