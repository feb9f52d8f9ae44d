// Does a simple_one_for_one behave as OTP's does? Cases 47 to 50, 52, 72 to 74 and 93 of supervisor_SUITE.
import { describe, expect, vi } from 'vitest';

import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { StartFunction } from '../../actors/lifecycle/start-function.ts';
import type { ChildSpec, ChildType } from '../../supervisors/child-spec.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { failAgain, gatedSlowly, scripted, slow, std, type Gate } from './children.ts';
import { scenario } from './scenario.ts';
import { child, END, stage, type Stage } from './stage.ts';

const SHUTDOWN = { type: 'shutdown' };

/** Thousands of children on a machine that is busy with other tests. */
vi.setConfig({ testTimeout: 120_000 });

function simple(more: Partial<ChildSpec> = {}, flags: SupervisorFlags = {}): SupervisorFlags {
  return { strategy: 'simple_one_for_one', children: [child('template', more)], ...flags };
}

async function refsOf(play: Stage): Promise<readonly unknown[]> {
  return (await play.which()).map(([, ref]) => ref);
}

/** Case 47, which case 49 repeats with children that give information. */
async function crashThreeOfTwo(play: Stage, first: ActorRef, second: ActorRef): Promise<void> {
  expect(await play.which()).toEqual([
    [undefined, second],
    [undefined, first],
  ]);
  await play.end(first, 'abnormal');
  const after = await refsOf(play);
  expect(after).toHaveLength(2);
  expect(after).toContain(second);
  expect(after).not.toContain(first);
  expect(await play.counts()).toEqual([1, 2, 0, 2]);
  await play.end(second, 'abnormal');
  expect(play.exit).toBeUndefined();
  const [last] = await refsOf(play);
  await play.end(last as ActorRef, 'abnormal');
  expect(play.exit).toEqual(SHUTDOWN);
}

/** Cases 72 and 73: the same for workers and for supervisors. */
async function countMany(type: ChildType): Promise<void> {
  const play = await stage(simple({ restart: 'temporary', type }, { maxRestarts: 0 }));
  const refs: ActorRef[] = [];
  for (const many of [1_000, 2_000]) {
    const calls = Array.from({ length: many - refs.length }, () => play.sup.startChild());
    refs.push(...(await play.ask(Promise.all(calls))).map((started) => started.child!));
    for (const _time of ['once', 'again']) {
      expect(await play.which()).toHaveLength(many);
      expect(await play.counts()).toEqual([
        1,
        many,
        type === 'worker' ? 0 : many,
        type === 'worker' ? many : 0,
      ]);
    }
  }
  for (const ref of refs) ref.send(END.kill);
  await play.world.settle();
  expect(await play.counts()).toEqual([1, 0, 0, 0]);
  expect(await play.which()).toEqual([]);
}

describe('simple_one_for_one', () => {
  scenario(47, 'simple_one_for_one', '', async () => {
    const play = await stage(simple());
    await crashThreeOfTwo(play, await play.start(), await play.start());
  });

  scenario(48, 'simple_one_for_one_shutdown', '', async () => {
    const start: StartFunction = (ms: number) => ({ logic: slow(ms) });
    const play = await stage(simple({ start, shutdown: 2_000 }));
    const [first, second, third] = [
      await play.start(1_000),
      await play.start(1_000),
      await play.start(5_000),
    ];
    const { clock } = play.world;
    const fromMs = clock.nowMs();
    const tookMs = play.sup.stop().then(() => clock.nowMs() - fromMs);
    await play.world.advance(999);
    expect([first.exitReason, second.exitReason]).toEqual([undefined, undefined]);
    expect(await play.soon(tookMs, 10_000)).toBe(2_000);
    expect([first.exitReason, second.exitReason]).toEqual([SHUTDOWN, SHUTDOWN]);
    expect(third.exitReason).toEqual({ type: 'killed' });
  });

  scenario(49, 'simple_one_for_one_extra', '', async () => {
    const start: StartFunction = (info: string) => ({ logic: std, info });
    const play = await stage(simple({ start }));
    const first = await play.ask(play.sup.startChild('extra1'));
    const second = await play.ask(play.sup.startChild('extra2'));
    expect([first.info, second.info]).toEqual(['extra1', 'extra2']);
    await crashThreeOfTwo(play, first.child!, second.child!);
  });

  scenario(50, 'simple_one_for_one_escalation', '', async () => {
    const failing = failAgain();
    const start: StartFunction = (which: 'fails again' | 'starts', context) =>
      which === 'starts' ? { logic: std } : failing(undefined as never, context);
    const play = await stage(simple({ start }, { maxRestarts: 4 }));
    const first = await play.start('fails again');
    const second = await play.start('starts');
    await play.end(first, 'abnormal');
    expect(play.exit).toEqual(SHUTDOWN);
    expect(second.exitReason).toEqual(SHUTDOWN);
  });

  scenario(52, 'simple_one_for_one_restart_ignore', '', async () => {
    for (const restart of ['transient', 'permanent'] as const) {
      const script = scripted();
      const play = await stage(simple({ restart, start: script.start }));
      const started = play.sup.startChild();
      await play.world.settle();
      script.answer('ok');
      const first = (await play.ask(started)).child!;
      await play.end(first, 'kill');
      script.answer('ok');
      await play.world.settle();
      const [second] = await refsOf(play);
      expect(second).not.toBe(first);
      await play.end(second as ActorRef, 'kill');
      script.answer('ignore');
      await play.world.settle();
      expect(await play.which()).toEqual([]);
      expect(await play.ask(play.sup.stop())).toEqual(SHUTDOWN);
    }
  });
});

describe('counting', () => {
  scenario(72, 'count_children', '', () => countMany('worker'));

  scenario(73, 'count_children_supervisor', '', () => countMany('supervisor'));

  scenario(74, 'count_restarting_children', '', async () => {
    const world = virtualSystem();
    const gate: Gate = { starts: 'pass' };
    const start = gatedSlowly(gate, world.clock, 2_000);
    const flags = simple({ start, shutdown: 'brutal_kill' }, { maxRestarts: 20, periodMs: 10_000 });
    const play = await stage(flags, world);
    for (let many = 1; many <= 3; many += 1) {
      await play.start();
      expect(await play.counts()).toEqual([1, many, 0, many]);
    }
    for (const ref of await refsOf(play)) await play.end(ref as ActorRef, 'abnormal');
    expect(await play.counts()).toEqual([1, 3, 0, 3]);
    gate.starts = 'fail';
    const [third, second, first] = (await refsOf(play)) as ActorRef[];
    await play.end(third!, 'abnormal');
    await play.end(second!, 'abnormal');
    await world.advance(4_000);
    // Served between two tries, when its turn has come: behind one of each child.
    const counts = await play.soon(play.sup.countChildren(), 4_000);
    expect(counts).toEqual({ specs: 1, active: 1, supervisors: 0, workers: 3 });
    gate.starts = 'pass';
    await world.advance(4_000);
    expect(await play.counts()).toEqual([1, 3, 0, 3]);
    expect(first!.exitReason).toBeUndefined();
    for (const many of [2, 1, 0]) {
      const [next] = await refsOf(play);
      await play.ask(play.sup.terminateChild(next as ActorRef));
      expect(await play.counts()).toEqual([1, many, 0, many]);
    }
  });

  scenario(93, 'which_children_simple_one_for_one', '', async () => {
    const play = await stage(simple());
    const { sup } = play;
    expect(await play.which()).toEqual([]);
    await expect(play.ask(sup.whichChild('template'))).rejects.toMatchObject({
      code: 'simple_one_for_one',
    });
    const first = await play.start();
    const entry = { id: undefined, child: first, type: 'worker' };
    expect(await play.ask(sup.whichChildren())).toEqual([entry]);
    expect(await play.ask(sup.whichChild(first))).toEqual(entry);
    const second = await play.start();
    const another = { ...entry, child: second };
    expect(await play.ask(sup.whichChildren())).toEqual([another, entry]);
    expect(await play.ask(sup.whichChild(second))).toEqual(another);
    await play.ask(sup.terminateChild(first));
    expect(await play.ask(sup.whichChildren())).toEqual([another]);
    await expect(play.ask(sup.whichChild(first))).rejects.toMatchObject({ code: 'not_found' });
    await play.ask(sup.terminateChild(second));
    expect(await play.which()).toEqual([]);
    await expect(play.ask(sup.whichChild(second))).rejects.toMatchObject({ code: 'not_found' });
  });
});
