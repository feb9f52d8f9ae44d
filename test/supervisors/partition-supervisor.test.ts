// What does a partition supervisor do beyond Elixir's own tests? Keys of all kinds, restarts, resizings that meet, and trees.
import { describe, expect, it } from 'vitest';

import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import { cores } from '../../supervisors/cores.ts';
import { partitionFor } from '../../supervisors/partition-key.ts';
import {
  partitionOf,
  partitionSupervisor,
  partitionSupervisorOf,
  startPartitionSupervisor,
  type PartitionSupervisorHandle,
} from '../../supervisors/partition-supervisor.ts';
import type { PartitionSupervisorOptions } from '../../supervisors/partition-options.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { taskSupervisor, taskSupervisorOf } from '../../supervisors/task-supervisor.ts';
import { gated, slow, std, type Gate } from '../conformance/children.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';

const NAME = 'partitions';

function start(
  world: VirtualSystem,
  options: Partial<PartitionSupervisorOptions> = {},
): Promise<PartitionSupervisorHandle> {
  const all = { name: NAME, child: { start: std }, partitions: 4, ...options };
  return world.settled(startPartitionSupervisor(all, world));
}

async function tell(world: VirtualSystem, ref: ActorRef, type: string): Promise<void> {
  ref.send({ type });
  await world.settle();
}

describe('a key', () => {
  it('that is a reference goes by its incarnation', async () => {
    const world = virtualSystem();
    const sup = await start(world);
    const ref = sup.partitionOf(0);
    expect(partitionFor(ref, 1_000)).toBe(partitionFor(ref, 1_000));
    expect(partitionFor(ref, 1_000)).not.toBe(partitionFor(sup.partitionOf(1), 1_000));
  });
});

describe('a partition', () => {
  it('that crashed is found in its next incarnation', async () => {
    const world = virtualSystem();
    const sup = await start(world);
    const before = sup.partitionOf(2);
    await tell(world, before, 'die');
    const after = sup.partitionOf(2);
    expect([before.exitReason?.type, after.id, after.epoch]).toEqual(['error', '2', 2]);
  });

  it('that cannot start again is nobody: its keys are refused, those of others are not', async () => {
    const world = virtualSystem();
    const gate: Gate = { starts: 'pass' };
    const child = { start: gated(gate), restart: 'transient' } as const;
    const sup = await start(world, { child });
    await tell(world, sup.partitionOf(2), 'stop');
    const noproc = expect.objectContaining({ code: 'noproc', child: '2' }) as Error;
    expect(() => sup.partitionOf(2)).toThrow(noproc);
    expect(sup.partitionOf(3).id).toBe('3');
  });

  it('is looked up by those that start after it', async () => {
    const world = virtualSystem();
    const seen: string[] = [];
    const child = {
      start: (partition: number) => {
        if (partition > 0) seen.push(partitionOf(NAME, 0, world).path);
        return { logic: std };
      },
    };
    await start(world, { child, withArguments: (_input, partition) => partition });
    expect(seen).toEqual(['partitions/0', 'partitions/0', 'partitions/0']);
  });

  it('may be a supervisor, but then has no input to be given', async () => {
    const world = virtualSystem();
    await start(world, { child: taskSupervisor });
    const tasks = taskSupervisorOf(partitionOf(NAME, 'key', world), world);
    const task = await world.settled(tasks.async(() => 7));
    expect(await world.settled(task.await())).toBe(7);
    const options = { name: 'other', child: taskSupervisor, withArguments: () => 1 };
    expect(() => partitionSupervisor(options)).toThrow(/takes no input/u);
  });
});

describe('resizing', () => {
  it('stops each partition within its shutdown time, and sends nobody there meanwhile', async () => {
    const world = virtualSystem();
    const sup = await start(world, { child: { start: slow(100), shutdown: 1_000 } });
    const resized = sup.resize(2);
    await world.settle();
    expect(sup.partitions()).toBe(2);
    expect(sup.partitionOf(3).id).toBe('1');
    await world.advance(200);
    expect(await world.settled(resized)).toBe(4);
    expect(await world.settled(sup.countChildren())).toMatchObject({ specs: 4, active: 2 });
  });

  it('takes its turn behind one that is under way, through whatever handle', async () => {
    const world = virtualSystem();
    const sup = await start(world, { child: { start: slow(100), shutdown: 1_000 } });
    const both = Promise.all([sup.resize(0), partitionSupervisorOf(NAME, world).resize(3)]);
    await world.advance(400);
    expect(await world.settled(both)).toEqual([4, 0]);
    expect(sup.partitions()).toBe(3);
  });

  it('leaves as many as could be started', async () => {
    const world = virtualSystem();
    let isShut = false;
    const child = {
      start: (partition: number) => {
        if (isShut && partition === 2) throw new Error('the gate is shut');
        return { logic: std };
      },
    };
    const sup = await start(world, { child, withArguments: (_input, partition) => partition });
    await world.settled(sup.resize(0));
    isShut = true;
    await expect(world.settled(sup.resize(4))).rejects.toMatchObject({
      code: 'failed_to_start_child',
      child: '2',
    });
    expect(sup.partitions()).toBe(2);
    isShut = false;
    expect(await world.settled(sup.resize(4))).toBe(2);
  });

  it('finds up what a group restart has started again', async () => {
    const world = virtualSystem();
    const sup = await start(world, { strategy: 'one_for_all' });
    await world.settled(sup.resize(2));
    await tell(world, sup.partitionOf(0), 'die');
    expect(await world.settled(sup.countChildren())).toMatchObject({ active: 4 });
    expect(sup.partitions()).toBe(2);
    expect(await world.settled(sup.resize(4))).toBe(2);
    expect(sup.partitionOf(3).id).toBe('3');
  });

  it('is refused with noproc once the supervisor has ended', async () => {
    const world = virtualSystem();
    const sup = await start(world);
    await world.settled(sup.stop());
    await expect(world.settled(sup.resize(1))).rejects.toMatchObject({ code: 'noproc' });
    expect(() => sup.partitions()).toThrow(expect.objectContaining({ code: 'noproc' }) as Error);
    expect(() => sup.partitionOf(1)).toThrow(expect.objectContaining({ code: 'noproc' }) as Error);
  });
});

describe('as a child', () => {
  it('it has all its partitions again after its own restart', async () => {
    const world = virtualSystem();
    const inner = { name: NAME, child: { start: std }, partitions: 3, maxRestarts: 0 };
    const children = [partitionSupervisor.childSpec(inner)];
    const top = await world.settled(startSupervisor({ children }, world));
    const first = partitionSupervisorOf(NAME, world);
    await world.settled(first.resize(1));
    await tell(world, first.partitionOf(0), 'die');
    const second = partitionSupervisorOf(NAME, world);
    expect(await first.exited).toMatchObject({ type: 'shutdown' });
    expect([second.partitions(), second.ref.epoch]).toEqual([3, 2]);
    await world.settled(top.stop());
    expect(() => partitionSupervisorOf(NAME, world)).toThrow();
  });

  it('one start serves several supervisors, each with its own number of partitions', async () => {
    const children = [partitionSupervisor.childSpec({ name: NAME, child: { start: std } })];
    const worlds = [virtualSystem(), virtualSystem()] as const;
    for (const world of worlds) await world.settled(startSupervisor({ children }, world));
    const [first, second] = worlds;
    await second.settled(partitionSupervisorOf(NAME, second).resize(0));
    expect(partitionSupervisorOf(NAME, first).partitions()).toBe(cores());
    expect(partitionSupervisorOf(NAME, second).partitions()).toBe(0);
  });

  it('its options are checked at once', () => {
    const options = { name: NAME, child: { start: std }, unknown: 1 };
    expect(() => partitionSupervisor(options)).toThrow(/unknown key/u);
    const bad = { name: NAME, child: { start: std, shutdown: -1 } };
    expect(() => partitionSupervisor(bad)).toThrow(/child.shutdown: invalid shutdown/u);
    const simple = { name: NAME, child: { start: std }, strategy: 'simple_one_for_one' };
    expect(() => partitionSupervisor(simple as never)).toThrow(/invalid strategy/u);
    expect(() => partitionSupervisor([] as never)).toThrow(/invalid type/u);
    expect(() => partitionSupervisorOf('nobody', virtualSystem())).toThrow(/not running/u);
  });

  it('another kind of supervisor by that name is none of its kind', async () => {
    const world = virtualSystem();
    await world.settled(startSupervisor({ name: 'other' }, world));
    expect(() => partitionSupervisorOf('other', world)).toThrow(/not running/u);
  });
});
