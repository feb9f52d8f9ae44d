// Does a supervisor start as OTP's does? Cases 1 to 12 of supervisor_SUITE.
import { describe, expect, it } from 'vitest';

import { startSupervisor, supervisor } from '../../supervisors/start-supervisor.ts';
import { BadReturnError, StartChildError } from '../../supervisors/supervision-errors.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { failAgain, std } from './children.ts';
import { failure, refusal, supervise } from './supervised.ts';
import { scenario } from './scenario.ts';

const REASON = new Error('reason');
const ignore = () => 'ignore' as const;
const throwing = () => {
  throw REASON;
};
/** What OTP's case calls a bare term: nothing that a start may give. */
const bare = (() => 'term') as never;

/** The first start says `ignore`, each later one is good. */
function ignoreFirst() {
  let starts = 0;
  return () => {
    starts += 1;
    return starts === 1 ? ('ignore' as const) : { logic: std };
  };
}

describe('start', () => {
  scenario(1, 'sup_start_normal', '', async () => {
    const held = await supervise({ children: [] });
    expect(await held.stop()).toEqual({ type: 'shutdown' });
  });

  scenario(2, 'sup_start_ignore_init', '', async () => {
    const world = virtualSystem();
    expect(await world.settled(startSupervisor(() => 'ignore', world))).toBe('ignore');
    expect(world.events).toEqual([]);
  });

  scenario(3, 'sup_start_ignore_child', '', async () => {
    const held = await supervise();
    const first = await held.ask(held.sup.startChild({ id: 'child1', start: ignore }));
    const second = await held.start({ id: 'child2', start: std });
    expect(first).toEqual({ child: undefined, info: undefined });
    expect(await held.which()).toEqual([
      ['child2', second],
      ['child1', undefined],
    ]);
    expect(await held.counts()).toEqual([2, 1, 0, 2]);
    await held.stop();
  });

  scenario(4, 'sup_start_ignore_temporary_child', '', async () => {
    const held = await supervise({
      children: [
        { id: 'child1', start: ignore, restart: 'temporary' },
        { id: 'child2', start: std, restart: 'temporary' },
      ],
    });
    expect(await held.which()).toEqual([['child2', await held.child('child2')]]);
    expect(await held.counts()).toEqual([1, 1, 0, 1]);
    await held.stop();
  });

  scenario(5, 'sup_start_ignore_temporary_child_start_child', '', async () => {
    const held = await supervise();
    const first = { id: 'child1', start: ignore, restart: 'temporary' };
    expect((await held.ask(held.sup.startChild(first))).child).toBeUndefined();
    const second = await held.start({ id: 'child2', start: std, restart: 'temporary' });
    expect(await held.which()).toEqual([['child2', second]]);
    expect(await held.counts()).toEqual([1, 1, 0, 1]);
    await held.stop();
  });

  scenario(6, 'sup_start_ignore_temporary_child_start_child_simple', '', async () => {
    const template = { id: 'child', start: ignoreFirst(), restart: 'temporary' } as const;
    const held = await supervise({ strategy: 'simple_one_for_one', children: [template] });
    expect((await held.ask(held.sup.startChild())).child).toBeUndefined();
    const second = await held.start();
    expect(await held.which()).toEqual([[undefined, second]]);
    expect(await held.counts()).toEqual([1, 1, 0, 1]);
    await held.stop();
  });

  scenario(7, 'sup_start_ignore_permanent_child_start_child_simple', '', async () => {
    const template = { id: 'child', start: ignoreFirst(), restart: 'permanent' } as const;
    const held = await supervise({ strategy: 'simple_one_for_one', children: [template] });
    expect((await held.ask(held.sup.startChild())).child).toBeUndefined();
    const second = await held.start();
    expect(await held.which()).toEqual([[undefined, second]]);
    expect(await held.counts()).toEqual([1, 1, 0, 1]);
    expect(await held.stop()).toEqual({ type: 'shutdown' });
    expect(held.world.told('supervisor.reported')).toEqual([]);
  });

  scenario(8, 'sup_start_error_return', '', async () => {
    const world = virtualSystem();
    const wrong = await failure(world.settled(startSupervisor(() => 'invalid' as never, world)));
    expect(wrong).toBeInstanceOf(BadReturnError);
    expect(wrong).toMatchObject({ code: 'bad_return', value: 'invalid' });
    expect(world.events).toEqual([]);
  });

  scenario(9, 'sup_start_fail', 'the error that was thrown has the stack', async () => {
    const world = virtualSystem();
    expect(await failure(world.settled(startSupervisor(throwing, world)))).toBe(REASON);
    expect(REASON.stack).toContain('part-1-start');
    expect(world.events).toEqual([]);
  });

  scenario(10, 'sup_start_child_returns_error', 'an error is thrown, not returned', async () => {
    const held = await supervise();
    const thrown = await failure(held.ask(held.sup.startChild({ id: 'child1', start: throwing })));
    expect(thrown).toBeInstanceOf(StartChildError);
    expect(thrown).toMatchObject({ child: 'child1', reason: { type: 'error', error: REASON } });
    const term = await failure(held.ask(held.sup.startChild({ id: 'child1', start: bare })));
    expect(term).toMatchObject({ child: 'child1', reason: { type: 'error' } });
    expect(term.cause).toBeInstanceOf(TypeError);
    expect(await held.which()).toEqual([]);
    await held.stop();
  });

  scenario(11, 'sup_start_restart_child_returns_error', '', async () => {
    const held = await supervise();
    await held.start({ id: 'child1', start: failAgain() });
    await held.ask(held.sup.terminateChild('child1'));
    const wrong = held.ask(held.sup.restartChild('child1'));
    expect(await refusal(wrong)).toBe('failed_to_start_child');
    expect(await held.which()).toEqual([['child1', undefined]]);
    await held.stop();
  });

  scenario(
    12,
    'sup_start_child_returns_error_simple',
    'an error is thrown, and the same one as of other strategies, but without an id',
    async () => {
      for (const [start, cause] of [
        [throwing, REASON],
        [bare, expect.any(TypeError)],
      ] as const) {
        const children = [{ id: 'child1', start }];
        const held = await supervise({ strategy: 'simple_one_for_one', children });
        const wrong = await failure(held.ask(held.sup.startChild()));
        const reason = { type: 'error', error: cause as unknown };
        expect(wrong).toMatchObject({ child: undefined, reason });
        expect(await held.which()).toEqual([]);
        await held.stop();
      }
    },
  );

  it('tells a failed start below as the reason of the one above, supervisor by supervisor', async () => {
    const world = virtualSystem();
    const inner = supervisor({ children: [{ id: 'leaf', start: throwing }] });
    const tree = startSupervisor({ children: [{ id: 'inner', start: inner }] }, world);
    const leaf = { failed_to_start_child: 'leaf', reason: { type: 'error', error: REASON } };
    expect(await failure(world.settled(tree))).toMatchObject({
      code: 'failed_to_start_child',
      child: 'inner',
      reason: { type: 'shutdown', detail: leaf },
    });
  });
});
