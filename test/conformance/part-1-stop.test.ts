// Does a supervisor stop its children as OTP's does? Cases 16 to 22 of supervisor_SUITE.
import { describe, expect, it } from 'vitest';

import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { supervisor } from '../../supervisors/start-supervisor.ts';
import { exitingAs, slow, std } from './children.ts';
import { scenario } from './scenario.ts';
import { supervise, type Supervised } from './supervised.ts';

const NORMAL: ExitReason = { type: 'normal' };
const SHUTDOWN: ExitReason = { type: 'shutdown' };
const KILLED: ExitReason = { type: 'killed' };
const RESTARTS = ['temporary', 'transient', 'permanent'] as const;
const REASONS: readonly ExitReason[] = [
  NORMAL,
  SHUTDOWN,
  { type: 'shutdown', detail: { of: 'child' } },
  { type: 'error', error: new Error('some other reason') },
];

/** Each child exits as its own extra input says. */
const exitingAsTold = (input: { readonly reason: ExitReason }) => ({
  logic: exitingAs(input.reason),
});

function simple(template: Omit<ChildSpec, 'id'>): Promise<Supervised> {
  const children = [{ id: 'child', ...template }];
  return supervise({ strategy: 'simple_one_for_one', children });
}

const reasonsOf = (children: readonly ActorRef[]) => children.map((child) => child.exitReason);

describe('stop', () => {
  scenario(16, 'sup_stop_infinity', '', async () => {
    const held = await supervise();
    const rest = { start: std, shutdown: 'infinity' } as const;
    const first = await held.start({ id: 'child1', type: 'supervisor', ...rest });
    const second = await held.start({ id: 'child2', type: 'worker', ...rest });
    expect(await held.stop()).toEqual(SHUTDOWN);
    expect(reasonsOf([first, second])).toEqual([SHUTDOWN, SHUTDOWN]);
  });

  scenario(17, 'sup_stop_timeout', '', async () => {
    const held = await supervise();
    const first = await held.start({ id: 'child1', start: std, shutdown: 1_000 });
    const second = await held.start({ id: 'child2', start: std, shutdown: 1_000 });
    await held.tell(second, { type: 'sleep' });
    const stopped = held.sup.stop();
    await held.world.advance(999);
    expect(reasonsOf([first, second])).toEqual([undefined, undefined]);
    await held.world.advance(1);
    expect(await stopped).toEqual(SHUTDOWN);
    expect(reasonsOf([first, second])).toEqual([SHUTDOWN, KILLED]);
  });

  scenario(18, 'sup_stop_timeout_dynamic', '', async () => {
    const held = await simple({ start: std, shutdown: 1_000 });
    const first = await held.start();
    const second = await held.start();
    await held.tell(second, { type: 'sleep' });
    const stopped = held.sup.stop();
    await held.world.advance(1_000);
    expect(await stopped).toEqual(SHUTDOWN);
    expect(reasonsOf([first, second])).toEqual([SHUTDOWN, KILLED]);
  });

  scenario(19, 'sup_stop_brutal_kill', '', async () => {
    const held = await supervise();
    const first = await held.start({ id: 'child1', start: std, shutdown: 1_000 });
    const second = await held.start({ id: 'child2', start: std, shutdown: 'brutal_kill' });
    expect(await held.stop()).toEqual(SHUTDOWN);
    expect(reasonsOf([first, second])).toEqual([SHUTDOWN, KILLED]);
  });

  scenario(20, 'sup_stop_brutal_kill_dynamic', '', async () => {
    const held = await simple({ start: exitingAsTold, shutdown: 'brutal_kill' });
    const children: ActorRef[] = [];
    for (let count = 0; count < 10; count += 1) children.push(await held.start({ reason: NORMAL }));
    expect(await held.stop()).toEqual(SHUTDOWN);
    expect(reasonsOf(children)).toEqual(children.map(() => KILLED));
  });

  scenario(21, 'sup_stop_race', '', async () => {
    const held = await supervise();
    const first = await held.start({ id: 'A', start: std, shutdown: 1_000 });
    const racing: { readonly child: ActorRef; readonly reason: ExitReason }[] = [];
    for (const restart of RESTARTS) {
      for (const [index, reason] of REASONS.entries()) {
        const id = `${restart}${index}`;
        const child = await held.start({ id, start: exitingAs(reason), restart, shutdown: 1_000 });
        racing.push({ child, reason });
      }
    }
    const last = await held.start({ id: 'Z', start: slow(1_000), shutdown: 2_000 });
    const stopped = held.sup.stop();
    await held.world.advance(200);
    for (const { child, reason } of racing) await held.exits(child, reason);
    expect(racing.map(({ child }) => child.exitReason)).toEqual(racing.map(({ reason }) => reason));
    expect(reasonsOf([first, last])).toEqual([undefined, undefined]);
    await held.world.advance(800);
    expect(await stopped).toEqual(SHUTDOWN);
    expect(reasonsOf([first, last])).toEqual([SHUTDOWN, SHUTDOWN]);
    expect(held.world.told('supervisor.decided')).toEqual([]);
  });

  scenario(22, 'sup_stop_non_shutdown_exit_dynamic', '', async () => {
    for (const restart of RESTARTS) {
      const held = await simple({ start: exitingAsTold, restart, shutdown: 1_000 });
      const children: ActorRef[] = [];
      for (const reason of REASONS) children.push(await held.start({ reason }));
      expect(await held.stop()).toEqual(SHUTDOWN);
      expect(reasonsOf(children)).toEqual(REASONS);
    }
  });

  for (const [shutdown, reported] of [
    ['brutal_kill', []],
    [100, ['shutdown_error killed']],
  ] as const) {
    it(`kills a supervisor below it with shutdown ${shutdown} like any child, and what that supervises`, async () => {
      const start = supervisor({ children: [{ id: 'leaf', start: std }] });
      const held = await supervise({ children: [{ id: 'inner', start, shutdown }] });
      const inner = await held.child('inner');
      const leaf = held.sup.children()[0]!.children()[0]!.ref;
      await held.tell(leaf, { type: 'sleep' });
      const stopped = held.sup.stop();
      await held.world.advance(shutdown === 'brutal_kill' ? 0 : shutdown);
      expect(await stopped).toEqual(SHUTDOWN);
      expect(reasonsOf([inner, leaf])).toEqual([KILLED, KILLED]);
      const reports = held.world
        .told('supervisor.reported')
        .filter((report) => report.supervisor === 'root')
        .map(({ errorContext, reason }) => `${errorContext} ${(reason as ExitReason).type}`);
      expect(reports).toEqual(reported);
    });
  }
});
