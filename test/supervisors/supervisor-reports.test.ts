// Is every decision of a supervisor told once, and does it report exactly what OTP's would?
import { describe, expect, it } from 'vitest';

import type { ActorRef } from '../../actors/lifecycle/actor-ref.ts';
import { startDynamicSupervisor } from '../../supervisors/dynamic-supervisor.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { exitingAs, gated, plain, scripted, std, type Gate } from '../conformance/children.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';
import { running, ids } from './fake-child.ts';

const odd = exitingAs({ type: 'timeout', what: 'odd' });
const other = exitingAs({ type: 'timeout', what: 'other' });
const DIE = { type: 'die' };

async function start(world: VirtualSystem, flags: SupervisorFlags) {
  const sup = await world.settled(startSupervisor(flags, world));
  const child = async (id: string): Promise<ActorRef> =>
    (await world.settled(sup.whichChild(id))).child as ActorRef;
  const kill = async (id: string): Promise<void> => {
    (await child(id)).send(DIE);
    await world.settle();
  };
  return { sup, child, kill };
}

/** Each report in one line: context, reason, who. */
function reported(world: VirtualSystem): readonly string[] {
  return world.told('supervisor.reported').map(({ errorContext, reason, offender }) => {
    const why = typeof reason === 'string' ? reason : 'what' in reason ? reason.what : reason.type;
    const { pid, id, nbChildren } = offender;
    return `${errorContext} ${why} ${id} ${nbChildren ?? pid}`;
  });
}

/** Each decision in one line: what, about whom, who stops, who starts, what follows. */
function decided(world: VirtualSystem): readonly string[] {
  return world
    .told('supervisor.decided')
    .map(
      ({ verdict, child, epoch, errorContext, stops, starts, next }) =>
        `${verdict} ${child}#${epoch} (${errorContext}) stops ${stops.join()} starts ${starts.join()} then ${next}`,
    );
}

describe('the reports of OTP 25, as observed', () => {
  it('make none of a start that a caller asked for: it has the answer', async () => {
    const world = virtualSystem();
    const gate: Gate = { starts: 'pass' };
    const { sup } = await start(world, { children: [{ id: 'g', start: gated(gate) }] });
    await world.settled(sup.terminateChild('g'));
    gate.starts = 'fail';
    await expect(world.settled(sup.restartChild('g'))).rejects.toThrow('the gate is shut');
    await expect(world.settled(sup.startChild({ id: 'c', start: gated(gate) }))).rejects.toThrow(
      'the gate is shut',
    );
    expect([reported(world), decided(world)]).toEqual([[], []]);
  });

  it('name who answered a shutdown in the wrong way, and its incarnation', async () => {
    const world = virtualSystem();
    const children = [
      { id: 'a', start: odd },
      { id: 'b', start: exitingAs({ type: 'normal' }) },
      { id: 't', start: exitingAs({ type: 'normal' }), restart: 'transient' as const },
    ];
    const { sup } = await start(world, { children });
    await world.settled(sup.stop());
    expect(reported(world)).toEqual([
      'shutdown_error normal b root/b#1',
      'shutdown_error odd a root/a#1',
    ]);
  });

  it('name no incarnation where a first start failed', async () => {
    const world = virtualSystem();
    const children = [
      { id: 'a', start: std },
      { id: 'b', start: gated({ starts: 'fail' }) },
      { id: 'c', start: std },
    ];
    await expect(start(world, { children })).rejects.toThrow();
    expect(reported(world)).toEqual(['start_error error b undefined']);
    expect(decided(world)).toEqual(['start_failed b#1 (start_error) stops a starts  then end']);
  });

  it('name the incarnation that was up before, when one child cannot be restarted', async () => {
    const world = virtualSystem();
    const gate: Gate = { starts: 'pass' };
    const flags = { maxRestarts: 2, children: [{ id: 'g', start: gated(gate) }] };
    const { kill } = await start(world, flags);
    gate.starts = 'fail';
    await kill('g');
    expect(reported(world)).toEqual([
      'child_terminated error g root/g#1',
      'start_error error g root/g#1',
      'start_error error g root/g#1',
      'shutdown reached_max_restart_intensity g root/g#1',
    ]);
    expect(decided(world)).toEqual([
      'restart g#1 (child_terminated) stops  starts g then start',
      'restart g#2 (start_error) stops  starts g then start',
      'give_up g#3 (shutdown) stops  starts  then end',
    ]);
  });

  it('name none when a group cannot be restarted, and tell of siblings that stop in the wrong way', async () => {
    const world = virtualSystem();
    const gate: Gate = { starts: 'pass' };
    const { kill } = await start(world, {
      ...{ strategy: 'one_for_all', maxRestarts: 2 },
      children: [
        { id: 'a', start: odd },
        { id: 'g', start: gated(gate) },
      ],
    });
    gate.starts = 'fail';
    await kill('a');
    expect(reported(world).map((line) => line.replace(/ root\/g#1$/u, ' undefined'))).toEqual([
      'child_terminated error a root/a#1',
      'start_error error g undefined',
      'shutdown_error odd a root/a#2',
      'start_error error g undefined',
      'shutdown reached_max_restart_intensity g undefined',
      'shutdown_error odd a root/a#3',
    ]);
    expect(decided(world)).toEqual([
      'restart a#1 (child_terminated) stops g starts a,g then start',
      'restart g#2 (start_error) stops a starts a,g then start',
      'give_up g#3 (shutdown) stops a starts  then end',
    ]);
  });

  it('sum up how the children of a simple_one_for_one stopped, by reason, under the id of their template', async () => {
    const world = virtualSystem();
    const template = {
      ...{ id: 'tmpl', input: {} },
      start: ({ kind }: { kind: string }) => ({ logic: kind === 'odd' ? odd : other }),
    };
    const flags: SupervisorFlags = { strategy: 'simple_one_for_one', children: [template] };
    const { sup } = await start(world, flags);
    const began: (ActorRef | undefined)[] = [];
    for (const kind of ['odd', 'odd', 'other', 'odd'])
      began.push((await world.settled(sup.startChild({ kind }))).child);
    await world.settled(sup.terminateChild(began[3]!));
    began[0]!.send(DIE);
    await world.settle();
    await world.settled(sup.stop());
    expect(reported(world)).toEqual([
      'shutdown_error odd tmpl root/4#1',
      'child_terminated error tmpl root/1#1',
      'shutdown_error other tmpl 1',
      'shutdown_error odd tmpl 2',
    ]);
    expect(world.told('supervisor.reported')[3]?.offender).toEqual({
      ...{ pid: undefined, id: 'tmpl', path: undefined, nbChildren: 2, restart: 'permanent' },
      ...{ significant: false, shutdown: 5_000, type: 'worker' },
    });
    expect(world.told('supervisor.progress')).toEqual([]);
  });

  it('are made for each child of a dynamic supervisor, without an id, as in Elixir', async () => {
    const world = virtualSystem();
    const sup = await world.settled(startDynamicSupervisor({}, world));
    for (const id of ['x', 'y']) await world.settled(sup.startChild({ id, start: odd }));
    await world.settled(sup.stop());
    expect(reported(world)).toEqual([
      'shutdown_error odd undefined root/2#1',
      'shutdown_error odd undefined root/1#1',
    ]);
    expect(world.told('supervisor.progress')).toEqual([]);
  });

  it('say nothing of a transient child that ended normally, and all of a temporary one that crashed', async () => {
    const world = virtualSystem();
    const children = [
      { id: 't', start: std, restart: 'transient', significant: true },
      { id: 'u', start: std, restart: 'temporary' },
      { id: 'v', start: std, restart: 'transient' },
      { id: 'z', start: std },
    ] as const;
    const { child, kill } = await start(world, { autoShutdown: 'any_significant', children });
    await kill('u');
    for (const id of ['v', 't']) {
      (await child(id)).send({ type: 'stop' });
      await world.settle();
    }
    expect(reported(world)).toEqual(['child_terminated error u root/u#1']);
    expect(decided(world)).toEqual([
      'remove u#1 (child_terminated) stops  starts  then forget',
      'keep_down v#1 (undefined) stops  starts  then stay_down',
      'auto_shutdown t#1 (undefined) stops z starts  then end',
    ]);
  });

  it('tell of progress once for each child that is started, and not of one that has nothing to run', async () => {
    const world = virtualSystem();
    const children = [
      { id: 'a', start: std },
      { id: 'i', start: () => 'ignore' as const },
    ];
    const { kill } = await start(world, { children });
    await kill('a');
    const told = world
      .told('supervisor.progress')
      .map(({ level, started }) => [level, started.pid]);
    expect(told).toEqual([
      ['info', 'root/a#1'],
      ['info', 'root/a#2'],
    ]);
  });
});

describe('a decision', () => {
  it('lists those that run as stopped, in reverse, and all of the group as started', async () => {
    const world = virtualSystem();
    const children = ['a', 'b', 'c', 'd'].map((id) => ({ id, start: std }));
    const { sup, kill } = await start(world, { strategy: 'rest_for_one', children });
    await world.settled(sup.terminateChild('c'));
    await kill('b');
    expect(decided(world)).toEqual([
      'restart b#1 (child_terminated) stops d starts b,c,d then start',
    ]);
  });

  it('says how long it waits before the start, and is not told again when that is over', async () => {
    const world = virtualSystem();
    const backoff = { minMs: 100, maxMs: 100 };
    const { kill } = await start(world, { backoff, children: [{ id: 'a', start: std }] });
    await kill('a');
    await world.advance(1_000);
    const told = world.told('supervisor.decided').map(({ delayMs, next }) => [delayMs, next]);
    expect(told).toEqual([[50, 'start_after_delay']]);
  });

  it('is told when terminateChild calls off a start that was part of a restart', async () => {
    const world = virtualSystem();
    const script = scripted();
    const began = startSupervisor({ children: [{ id: 'a', start: script.start }] }, world);
    await world.settle();
    script.answer('ok');
    const sup = await world.settled(began);
    const { child } = await world.settled(sup.whichChild('a'));
    (child as ActorRef).send(DIE);
    await world.settle();
    await world.settled(sup.terminateChild('a'));
    expect(decided(world)).toEqual([
      'restart a#1 (child_terminated) stops  starts a then start',
      'start_aborted a#2 (undefined) stops  starts  then stay_down',
    ]);
    expect(reported(world)).toEqual(['child_terminated error a root/a#1']);
  });

  it('to replace a child names it as stopped and started, and reports nothing', () => {
    const { supervisor, life, decisions, reports } = running(ids('a'));
    supervisor.replaceChild('a', 1, 'deadline');
    life('a').stopped({ type: 'killed' });
    expect(decisions).toMatchObject([
      { verdict: 'replace', stops: ['a'], starts: ['a'], next: 'start', errorContext: undefined },
    ]);
    expect(reports).toEqual([]);
  });

  it('carries all of the fields of OTP’s report', async () => {
    const world = virtualSystem();
    const { sup } = await start(world, {
      children: [{ id: 'p', start: plain, restart: 'temporary', shutdown: 'brutal_kill' }],
    });
    await world.settled(sup.stop());
    expect(decided(world)).toEqual([]);
    const again = virtualSystem();
    const { kill } = await start(again, { name: 'n', children: [{ id: 'a', start: std }] });
    await kill('a');
    expect(again.told('supervisor.decided')).toMatchObject([
      {
        ...{ supervisor: 'n', strategy: 'one_for_one', child: 'a', epoch: 1, verdict: 'restart' },
        ...{ because: 'within the restart intensity', restartsInWindow: 1, maxRestarts: 3 },
        ...{ periodMs: 5_000, errorContext: 'child_terminated', next: 'start', delayMs: 0 },
        offender: {
          ...{ pid: 'n/a#1', id: 'a', path: 'n/a', restart: 'permanent', significant: false },
          ...{ shutdown: 5_000, type: 'worker' },
        },
      },
    ]);
  });
});
