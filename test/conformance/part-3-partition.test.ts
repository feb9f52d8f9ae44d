// Is one child made many as Elixir does it? Cases 151 to 172 of partition_supervisor_test.exs.
import { describe, expect } from 'vitest';

import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { Via } from '../../actors/lifecycle/names.ts';
import { openRegistry, Registry, via } from '../../actors/lifecycle/registry.ts';
import {
  dynamicSupervisor,
  DynamicSupervisorHandle,
} from '../../supervisors/dynamic-supervisor.ts';
import { handleOf } from '../../supervisors/handles.ts';
import { cores } from '../../supervisors/cores.ts';
import type { PartitionSupervisorOptions } from '../../supervisors/partition-options.ts';
import {
  partitionOf,
  partitionSupervisor,
  partitionSupervisorOf,
  startPartitionSupervisor,
  type PartitionSupervisorHandle,
} from '../../supervisors/partition-supervisor.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';
import { plain, std } from './children.ts';
import { countsOf } from './stage.ts';
import { failure, refusal } from './supervised.ts';
import { scenario } from './scenario.ts';

const NAME = 'partitions';
const CHILD = { start: plain };

function start(
  world: VirtualSystem,
  options: Partial<PartitionSupervisorOptions> = {},
): Promise<PartitionSupervisorHandle> {
  return world.settled(startPartitionSupervisor({ name: NAME, child: CHILD, ...options }, world));
}

/** A name in a registry. */
function viaName(world: VirtualSystem): Via {
  const { names } = world.system;
  openRegistry({ name: 'registry', keys: 'unique' }, names);
  return via(new Registry('registry', names, () => undefined), 'partitions');
}

/** What startPartitionSupervisor says to these options. */
async function complaint(options: object): Promise<unknown> {
  const given = options as PartitionSupervisorOptions;
  const { code, problem, field } = (await failure(
    startPartitionSupervisor(given, virtualSystem()),
  )) as Error & { readonly code: string; readonly problem: string; readonly field: string };
  return [code, problem, field];
}

async function counts(world: VirtualSystem, sup: PartitionSupervisorHandle): Promise<unknown> {
  return countsOf(await world.settled(sup.countChildren()));
}

describe('child_spec', () => {
  scenario(151, 'uses the atom name as id', '', () => {
    const spec = partitionSupervisor.childSpec({ name: NAME, child: CHILD });
    expect(spec).toMatchObject({ id: NAME, type: 'supervisor' });
  });

  scenario(152, 'uses the via value as id', 'the id is a text: that of the via name', () => {
    const name = viaName(virtualSystem());
    expect(partitionSupervisor.childSpec({ name, child: CHILD }).id).toBe(name.label);
  });
});

describe('start_link/1', () => {
  scenario(153, 'on success with atom name', '', async () => {
    const world = virtualSystem();
    await start(world, { child: dynamicSupervisor });
    expect(partitionSupervisorOf(NAME, world).partitions()).toBe(cores());
    const started: ActorRef[] = [];
    for (let key = 0; key < 100; key += 1) {
      const partition = handleOf(partitionOf(NAME, `key ${key}`, world));
      if (!(partition instanceof DynamicSupervisorHandle)) throw new Error('of another kind');
      const answer = await world.settled(partition.startChild({ start: std }));
      if (answer !== 'ignore') started.push(answer.child!);
    }
    const partitions = await world.settled(partitionSupervisorOf(NAME, world).whichChildren());
    const found: unknown[] = [];
    for (const { child } of partitions) {
      const below = await world.settled(handleOf(child as ActorRef).whichChildren());
      found.push(...below.map((entry) => entry.child));
    }
    expect([found.length, new Set(found)]).toEqual([100, new Set(started)]);
  });

  scenario(
    154,
    'on success with via name',
    'via is a registry of the same system, handed in as a value',
    async () => {
      const world = virtualSystem();
      const name = viaName(world);
      const sup = await start(world, { name });
      expect(partitionSupervisorOf(name, world).partitions()).toBe(cores());
      const [first] = await world.settled(sup.whichChildren());
      expect(partitionOf(name, 0, world)).toBe(first?.child);
    },
  );

  scenario(155, 'with_arguments', '', async () => {
    const world = virtualSystem();
    const given: unknown[] = [];
    await start(world, {
      child: {
        input: ['unused'],
        start: (input: unknown) => {
          given.push(input);
          return { logic: plain };
        },
      },
      withArguments: (input, partition) => [input, partition],
      partitions: 3,
    });
    const at = (key: number): string => partitionOf(NAME, key, world).id;
    expect(given).toEqual([0, 1, 2].map((partition) => [['unused'], partition]));
    expect([0, 1, 2, 3, -1].map(at)).toEqual(['0', '1', '2', '0', '1']);
  });

  scenario(156, 'raises without name', 'it rejects', async () => {
    const refused = ['supervisor_data', 'invalid_name', 'name'];
    expect(await complaint({ child: CHILD })).toEqual(refused);
  });

  scenario(157, 'raises without child_spec', 'it rejects', async () => {
    const refused = ['supervisor_data', 'invalid_children', 'child'];
    expect(await complaint({ name: NAME })).toEqual(refused);
  });

  scenario(158, 'raises on bad partitions', 'it rejects', async () => {
    const refused = ['supervisor_data', 'invalid_partitions', 'partitions'];
    expect(await complaint({ name: NAME, child: CHILD, partitions: 0 })).toEqual(refused);
  });

  scenario(159, 'raises on bad with_arguments', 'it rejects', async () => {
    const refused = ['supervisor_data', 'invalid_with_arguments', 'withArguments'];
    expect(await complaint({ name: NAME, child: CHILD, withArguments: 123 })).toEqual(refused);
  });

  scenario(160, 'raises with auto_shutdown different than :never', 'it rejects', async () => {
    const refused = ['supervisor_data', 'invalid_auto_shutdown', 'autoShutdown'];
    const options = { name: NAME, child: CHILD, autoShutdown: 'any_significant' };
    expect(await complaint(options)).toEqual(refused);
  });
});

describe('stop/1', () => {
  scenario(161, 'is synchronous', '', async () => {
    const world = virtualSystem();
    const sup = await start(world);
    await world.settled(sup.stop());
    expect(world.system.whereis(NAME)).toBeUndefined();
  });

  scenario(
    162,
    'is synchronous with via',
    'via is a registry of the same system, handed in as a value',
    async () => {
      const world = virtualSystem();
      const name = viaName(world);
      await start(world, { name });
      await world.settled(partitionSupervisorOf(name, world).stop());
      expect(world.system.whereis(name)).toBeUndefined();
    },
  );
});

describe('partitions/1', () => {
  scenario(163, 'raises noproc for unknown atom partition supervisor', '', () => {
    const world = virtualSystem();
    expect(() => partitionSupervisorOf('unknown', world)).toThrow(
      expect.objectContaining({ code: 'noproc' }),
    );
  });

  scenario(
    164,
    'raises noproc for unknown via partition supervisor',
    'via is a registry of the same system, handed in as a value',
    () => {
      const world = virtualSystem();
      const name = viaName(world);
      expect(() => partitionSupervisorOf(name, world)).toThrow(
        expect.objectContaining({ code: 'noproc' }),
      );
    },
  );
});

describe('resize!/1', () => {
  scenario(165, 'resizes the number of children', '', async () => {
    const world = virtualSystem();
    const sup = await start(world, { partitions: 8 });
    const sizes = [8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 7, 0, 5, 1, 8];
    for (const size of sizes) {
      await world.settled(sup.resize(size));
      expect([sup.partitions(), await counts(world, sup)]).toEqual([size, [8, size, 0, 8]]);
      const routed = new Set<string>();
      for (let key = 0; size > 0 && key < 100; key += 1) {
        for (const one of [key, -key, `key ${key}`]) routed.add(sup.partitionOf(one).id);
      }
      expect([...routed].every((id) => Number(id) < size)).toBe(true);
      expect(routed.size).toBe(size);
    }
  });

  scenario(166, 'raises on lookup after resizing to zero', '', async () => {
    const world = virtualSystem();
    const sup = await start(world, { partitions: 8 });
    expect(await world.settled(sup.resize(0))).toBe(8);
    const none = expect.objectContaining({ code: 'no_partitions' }) as Error;
    expect(() => partitionOf(NAME, 0, world)).toThrow(none);
    expect(await world.settled(sup.resize(8))).toBe(0);
    expect(partitionOf(NAME, 0, world).id).toBe('0');
  });

  scenario(167, 'raises if trying to increase the number of partitions', '', async () => {
    const world = virtualSystem();
    const sup = await start(world, { partitions: 8 });
    for (const size of [9, -1, 1.5]) {
      expect(await refusal(world.settled(sup.resize(size)))).toBe('invalid_partitions');
    }
    expect(sup.partitions()).toBe(8);
  });
});

describe('which_children/1 and count_children/1', () => {
  scenario(168, 'returns all partitions', '', async () => {
    const world = virtualSystem();
    const sup = await start(world, { partitions: 11 });
    const entries = await world.settled(sup.whichChildren());
    expect(entries.map(({ partition, child, type }) => [partition, child, type])).toEqual(
      Array.from({ length: 11 }, (_, index) => [index, sup.partitionOf(index), 'worker']),
    );
  });

  scenario(169, 'with workers', '', async () => {
    const world = virtualSystem();
    const sup = await start(world);
    expect(await counts(world, sup)).toEqual([cores(), cores(), 0, cores()]);
  });

  scenario(170, 'with supervisors', '', async () => {
    const world = virtualSystem();
    const sup = await start(world, { child: dynamicSupervisor });
    expect(await counts(world, sup)).toEqual([cores(), cores(), cores(), 0]);
  });

  scenario(171, 'raises noproc for unknown partition supervisor', '', async () => {
    const world = virtualSystem();
    const sup = await start(world);
    await world.settled(sup.stop());
    expect(await refusal(world.settled(sup.countChildren()))).toBe('noproc');
    expect(() => partitionSupervisorOf(NAME, world)).toThrow(/not running/u);
  });

  scenario(
    172,
    'with via',
    'via is a registry of the same system, handed in as a value',
    async () => {
      const world = virtualSystem();
      const name = viaName(world);
      await start(world, { name });
      const found = partitionSupervisorOf(name, world);
      expect(await counts(world, found)).toEqual([cores(), cores(), 0, cores()]);
    },
  );
});
