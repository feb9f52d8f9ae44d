// Does the API answer as OTP's does, whatever the child's place? Cases 23 to 25 of supervisor_SUITE.
import { describe, expect } from 'vitest';

import { handleOf } from '../../supervisors/handles.ts';
import { std } from './children.ts';
import { scenario } from './scenario.ts';
import { failure, refusal, supervise, TWO_IN_AN_HOUR, type Supervised } from './supervised.ts';

const CHILD1 = { id: 'child1', start: std, restart: 'permanent', shutdown: 1_000 } as const;

/** The refusals that are the same for every start function: those of cases 23 and 25. */
async function refusesByPlace(held: Supervised, spec: typeof CHILD1): Promise<void> {
  const { sup } = held;
  const codeOf = (promise: Promise<unknown>) => refusal(held.ask(promise));
  const running = await held.child('child1');
  const twice = await failure(held.ask(sup.startChild(spec)));
  expect(twice).toMatchObject({ code: 'already_started', ref: running });
  expect(await codeOf(sup.terminateChild('hej'))).toBe('not_found');

  await held.ask(sup.terminateChild('child1'));
  expect(running.exitReason).toEqual({ type: 'shutdown' });
  expect(await held.which()).toEqual([['child1', undefined]]);
  expect(await held.counts()).toEqual([1, 0, 0, 1]);
  await held.ask(sup.terminateChild('child1'));
  expect(await codeOf(sup.startChild(spec))).toBe('already_present');

  const again = await held.ask(sup.restartChild('child1'));
  expect(again.child).not.toBe(running);
  expect(await held.which()).toEqual([['child1', again.child]]);
  expect(await held.counts()).toEqual([1, 1, 0, 1]);
  expect(await codeOf(sup.restartChild('child1'))).toBe('running');
  expect(await codeOf(sup.restartChild('child2'))).toBe('not_found');
  expect(await codeOf(sup.deleteChild('child1'))).toBe('running');
  expect(await codeOf(sup.deleteChild('hej'))).toBe('not_found');

  await held.ask(sup.terminateChild('child1'));
  await held.ask(sup.deleteChild('child1'));
  expect(await codeOf(sup.restartChild('child1'))).toBe('not_found');
  expect(await held.which()).toEqual([]);
  expect(await held.counts()).toEqual([0, 0, 0, 0]);
}

describe('child administration', () => {
  scenario(
    23,
    'child_adm',
    'an unknown supervisor is a name that nobody has, or a handle of one that has ended',
    async () => {
      const held = await supervise({ ...TWO_IN_AN_HOUR, children: [CHILD1] });
      expect(await held.counts()).toEqual([1, 1, 0, 1]);
      await refusesByPlace(held, CHILD1);

      const child = await held.start(CHILD1);
      expect(await held.which()).toEqual([['child1', child]]);
      expect(await held.counts()).toEqual([1, 1, 0, 1]);
      expect(await refusal(held.ask(held.sup.terminateChild(child)))).toBe('not_found');
      expect(child.exitReason).toBeUndefined();

      const { sup, world } = held;
      const nobody = () => handleOf(world.system.whereis('nobody'));
      expect(nobody).toThrow(expect.objectContaining({ code: 'noproc' }));
      await held.stop();
      const calls: readonly (() => Promise<unknown>)[] = [
        () => sup.startChild(CHILD1),
        () => sup.terminateChild('child1'),
        () => sup.restartChild('child1'),
        () => sup.deleteChild('child1'),
        () => sup.whichChildren(),
        () => sup.countChildren(),
      ];
      for (const call of calls) expect(await refusal(held.ask(call()))).toBe('noproc');
    },
  );

  scenario(24, 'child_adm_simple', '', async () => {
    const flags = { ...TWO_IN_AN_HOUR, strategy: 'simple_one_for_one' } as const;
    const held = await supervise({ ...flags, children: [CHILD1] });
    const { sup } = held;
    const codeOf = (promise: Promise<unknown>) => refusal(held.ask(promise));
    expect(await held.which()).toEqual([]);
    expect(await held.counts()).toEqual([1, 0, 0, 0]);
    const first = await held.start();
    expect(await held.which()).toEqual([[undefined, first]]);
    expect(await held.counts()).toEqual([1, 1, 0, 1]);
    const second = await held.start();
    expect(await held.which()).toEqual([
      [undefined, second],
      [undefined, first],
    ]);
    expect(await held.counts()).toEqual([1, 2, 0, 2]);

    expect(await codeOf(sup.terminateChild('child1'))).toBe('simple_one_for_one');
    await held.ask(sup.terminateChild(first));
    expect(first.exitReason).toEqual({ type: 'shutdown' });
    expect(await held.counts()).toEqual([1, 1, 0, 1]);
    await held.ask(sup.terminateChild(first));
    expect(await held.which()).toEqual([[undefined, second]]);

    const stranger = await (await supervise({ children: [CHILD1] })).child('child1');
    expect(await codeOf(sup.terminateChild(stranger))).toBe('not_found');
    expect(stranger.exitReason).toBeUndefined();
    expect(await codeOf(sup.restartChild('child1'))).toBe('simple_one_for_one');
    expect(await codeOf(sup.deleteChild('child1'))).toBe('simple_one_for_one');
    await held.stop();
  });

  scenario(25, 'extra_return', '', async () => {
    const start = () => ({ logic: std, info: 'extra' });
    const spec = { ...CHILD1, start } as never as typeof CHILD1;
    const held = await supervise({ ...TWO_IN_AN_HOUR, children: [spec] });
    expect(await held.counts()).toEqual([1, 1, 0, 1]);
    await refusesByPlace(held, spec);

    const started = await held.ask(held.sup.startChild(spec));
    expect(started.info).toBe('extra');
    expect(await held.which()).toEqual([['child1', started.child]]);
    await held.ask(held.sup.terminateChild('child1'));
    await held.ask(held.sup.terminateChild('child1'));
    const restarted = await held.ask(held.sup.restartChild('child1'));
    expect(restarted.info).toBe('extra');

    const child = await held.child('child1');
    await held.tell(child, { type: 'die' });
    const successor = await held.child('child1');
    expect(successor).not.toBe(child);
    expect(successor.epoch).toBeGreaterThan(child.epoch);
    expect(await held.counts()).toEqual([1, 1, 0, 1]);
    await held.stop();
  });
});
