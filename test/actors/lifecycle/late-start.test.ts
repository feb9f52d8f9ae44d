// What becomes of a start that comes when nobody waits for it any more, or that gives nothing?
import { describe, expect, it } from 'vitest';

import type { Started } from '../../../actors/lifecycle/start-function.ts';
import { std } from '../../conformance/children.ts';
import { failure, supervise } from '../../conformance/supervised.ts';

/** A start that pays no heed to its signal, and what it opens. */
function deaf() {
  const log: string[] = [];
  let give: (started: Started) => void = () => undefined;
  const start = () =>
    new Promise<Started>((resolve) => {
      give = resolve;
    });
  const cleanUp = () => {
    log.push('cleaned up');
  };
  return { log, start, giveAtLast: () => give({ logic: std, cleanUp }) };
}

describe('a start that comes too late', () => {
  it('is cleaned up after when it took longer than it may', async () => {
    const held = await supervise();
    const { log, start, giveAtLast } = deaf();
    const started = held.sup.startChild({ id: 'child', start, startTimeoutMs: 100 });
    const failed = failure(started);
    await held.world.advance(100);
    expect(await failed).toMatchObject({ reason: { type: 'timeout', what: 'start' } });
    giveAtLast();
    await held.world.settle();
    expect(log).toEqual(['cleaned up']);
    expect(await held.which()).toEqual([]);
  });

  it('is cleaned up after when its child was terminated, and killed for it', async () => {
    const held = await supervise();
    const { log, start, giveAtLast } = deaf();
    const failed = failure(held.sup.startChild({ id: 'child', start, shutdown: 50 }));
    await held.world.settle();
    const terminated = held.sup.terminateChild('child');
    await held.world.advance(50);
    expect(await failed).toMatchObject({ code: 'failed_to_start_child' });
    await terminated;
    giveAtLast();
    await held.world.settle();
    expect(log).toEqual(['cleaned up']);
  });
});

describe('a start that gives nothing', () => {
  it.each([null, undefined, 7])('is a start that failed: %s', async (nothing) => {
    const held = await supervise();
    for (const start of [() => nothing, () => Promise.resolve(nothing)]) {
      const failed = await failure(held.ask(held.sup.startChild({ id: 'child', start })));
      expect(failed.cause).toBeInstanceOf(TypeError);
      expect(failed.message).toContain("neither { logic } nor 'ignore'");
    }
  });
});
