// Does a dynamic supervisor do what its documentation says, beyond Elixir's own cases?
import { describe, expect, it } from 'vitest';

import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import {
  dynamicSupervisor,
  type DynamicSupervisorHandle,
  startDynamicSupervisor,
  type DynamicSupervisorOptions,
} from '../../supervisors/dynamic-supervisor.ts';
import type { StartedChild } from '../../supervisors/supervisor-handle.ts';
import { failAgain, gated, scripted, slow, std, type Gate } from '../conformance/children.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';

interface Dynamic {
  readonly world: VirtualSystem;
  readonly sup: DynamicSupervisorHandle;
}

async function dynamic(options: DynamicSupervisorOptions = {}): Promise<Dynamic> {
  const world = virtualSystem();
  return { world, sup: await world.settled(startDynamicSupervisor(options, world)) };
}

function refOf(started: StartedChild | 'ignore'): ActorRef {
  if (started === 'ignore' || started.child === undefined) throw new Error('nothing was started');
  return started.child;
}

const DIE = { type: 'die' };

describe('the options of a dynamic supervisor', () => {
  it.each([
    [{ children: [] }, 'unknown_key', 'children'],
    [{ maxchildren: 1 }, 'unknown_key', 'maxchildren'],
    [{ onGiveUp: () => undefined }, 'unknown_key', 'onGiveUp'],
    [{ flavour: 'static' }, 'unknown_key', 'flavour'],
    [{ maxChildren: 1.5 }, 'invalid_max_children', 'maxChildren'],
    [{ extraArguments: 'text' }, 'invalid_extra_arguments', 'extraArguments'],
    [{ extraArguments: new Date(0) }, 'invalid_extra_arguments', 'extraArguments'],
    [{ strategy: 'one_for_all' }, 'invalid_strategy', 'strategy'],
    [{ name: '' }, 'invalid_name', 'name'],
    [[], 'invalid_type', 'flags'],
    [null, 'invalid_type', 'flags'],
  ])('%j is refused: %s', async (options, problem, field) => {
    const refused = startDynamicSupervisor(options as DynamicSupervisorOptions, virtualSystem());
    await expect(refused).rejects.toMatchObject({ code: 'supervisor_data', problem, field });
    expect(() => dynamicSupervisor(options as DynamicSupervisorOptions)).toThrow();
  });

  it('may come from a promise', async () => {
    const world = virtualSystem();
    const init = async (): Promise<DynamicSupervisorOptions> => ({ maxChildren: 0 });
    const sup = await world.settled(startDynamicSupervisor(init, world));
    if (sup === 'ignore') throw new Error('it was not told to ignore');
    await expect(sup.startChild({ start: std })).rejects.toMatchObject({ code: 'max_children' });
  });

  it('are not hidden by what an init function throws', async () => {
    const init = (): never => {
      throw new RangeError('no');
    };
    await expect(startDynamicSupervisor(init, virtualSystem())).rejects.toThrow(RangeError);
  });
});

describe('a child of a dynamic supervisor', () => {
  it('needs no id, and shares one with others', async () => {
    const { sup } = await dynamic();
    await sup.startChild({ start: std });
    await sup.startChild({ id: 'same', start: std });
    await sup.startChild({ id: 'same', start: std });
    expect(await sup.countChildren()).toMatchObject({ specs: 3, active: 3 });
    expect((await sup.whichChildren()).map(({ id }) => id)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('has the defaults of every key that is given as nothing', async () => {
    const { sup } = await dynamic();
    const spec = { start: std, restart: undefined, shutdown: undefined, input: undefined };
    const first = refOf(await sup.startChild(spec as never));
    first.send(DIE);
    expect(await sup.countChildren()).toMatchObject({ specs: 1, active: 1, workers: 1 });
    expect(sup.statistics().children).toMatchObject([{ restart: 'permanent', significant: false }]);
  });

  it('is checked before anything is asked, and only then refused by the dead', async () => {
    const { sup } = await dynamic();
    await sup.stop();
    await expect(sup.startChild({} as never)).rejects.toMatchObject({ code: 'bad_child_spec' });
    await expect(sup.startChild({ start: std })).rejects.toMatchObject({ code: 'noproc' });
  });

  it.each([
    [['extra'], { own: 1 }],
    [['extra'], 'text'],
    [{ extra: 1 }, ['own']],
  ])('is refused when its input cannot be put behind extra arguments %j', async (extra, input) => {
    const { sup } = await dynamic({ extraArguments: extra as readonly unknown[] });
    await expect(sup.startChild({ start: std, input })).rejects.toMatchObject({
      ...{ code: 'bad_child_spec', problem: 'bad_combination', field: 'spec.input' },
    });
  });

  it('is known by the reference of its present incarnation', async () => {
    const { sup } = await dynamic();
    const first = refOf(await sup.startChild({ start: std }));
    first.send(DIE);
    await expect(sup.terminateChild(first)).rejects.toMatchObject({ code: 'not_found' });
    const [entry] = await sup.whichChildren();
    await sup.terminateChild(entry?.child as ActorRef);
    expect(await sup.countChildren()).toMatchObject({ specs: 0 });
  });

  it('is not found by its id, and no stranger is', async () => {
    const { sup } = await dynamic();
    const { sup: other } = await dynamic();
    await sup.startChild({ id: 'a', start: std });
    const stranger = refOf(await other.startChild({ start: std }));
    const notFound = { code: 'not_found' };
    await expect(sup.terminateChild('a' as never)).rejects.toMatchObject(notFound);
    await expect(sup.terminateChild('1' as never)).rejects.toMatchObject(notFound);
    await expect(sup.terminateChild(stranger)).rejects.toMatchObject(notFound);
    await other.stop();
    await expect(sup.terminateChild(stranger)).rejects.toMatchObject(notFound);
  });

  it('is found by its old reference while its restart waits', async () => {
    const { world, sup } = await dynamic({ backoff: { minMs: 100, maxMs: 100 } });
    const child = refOf(await sup.startChild({ start: std }));
    child.send(DIE);
    expect(await sup.whichChildren()).toMatchObject([{ child: 'restarting' }]);
    await sup.terminateChild(child);
    await world.advance(1_000);
    expect(await sup.countChildren()).toMatchObject({ specs: 0, active: 0 });
  });

  it('can call off its own start, and nothing of it is kept', async () => {
    const { world, sup } = await dynamic();
    const selves: ActorRef[] = [];
    const script = scripted();
    const started = sup.startChild({
      start: (input, context) => {
        selves.push(context.self);
        return script.start(input, context);
      },
    });
    started.catch(() => undefined);
    await world.settle();
    await world.settled(sup.terminateChild(selves[0]!));
    await expect(started).rejects.toMatchObject({ code: 'failed_to_start_child' });
    expect(await sup.countChildren()).toMatchObject({ specs: 0 });
  });

  it('is forgotten when its start fails, and tried again when its restart does', async () => {
    const { world, sup } = await dynamic();
    const gate: Gate = { starts: 'fail' };
    const refused = sup.startChild({ start: gated(gate) });
    await expect(refused).rejects.toMatchObject({ code: 'failed_to_start_child' });
    expect(await sup.countChildren()).toMatchObject({ specs: 0 });
    gate.starts = 'pass';
    const child = refOf(await sup.startChild({ start: gated(gate) }));
    gate.starts = 'fail';
    child.send(DIE);
    expect(await sup.countChildren()).toMatchObject({ specs: 1, active: 0 });
    gate.starts = 'pass';
    await world.settle();
    expect(await sup.countChildren()).toMatchObject({ specs: 1, active: 1 });
  });
});

describe('the end of a dynamic supervisor', () => {
  it('takes as long as its slowest child, not as all of them', async () => {
    const { world, sup } = await dynamic();
    for (const ms of [100, 300, 200]) await sup.startChild({ start: slow(ms) });
    const stopped = sup.stop();
    await world.advance(299);
    expect(sup.ref.exitReason).toBeUndefined();
    await world.advance(1);
    expect(await world.settled(stopped)).toEqual({ type: 'shutdown' });
  });

  it('gives each child its own time', async () => {
    const { world, sup } = await dynamic();
    const children: ActorRef[] = [];
    for (const shutdown of [100, 200]) {
      const child = refOf(await sup.startChild({ start: std, shutdown }));
      child.send({ type: 'sleep' });
      children.push(child);
    }
    void sup.stop();
    await world.advance(100);
    expect(children.map(({ exitReason }) => exitReason?.type)).toEqual(['killed', undefined]);
    await world.advance(100);
    expect(children.map(({ exitReason }) => exitReason?.type)).toEqual(['killed', 'killed']);
  });

  it('is permanent for its handle', async () => {
    const { world, sup } = await dynamic({ maxRestarts: 0 });
    const child = refOf(await sup.startChild({ start: failAgain() }));
    child.send(DIE);
    expect(await world.settled(sup.exited)).toEqual({ type: 'shutdown' });
    for (const call of [sup.whichChildren(), sup.countChildren(), sup.terminateChild(child)]) {
      await expect(call).rejects.toMatchObject({ code: 'noproc' });
    }
  });
});
