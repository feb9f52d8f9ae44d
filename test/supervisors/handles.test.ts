// Is every supervisor of a tree within reach, by its reference and by its name?
import { describe, expect, it } from 'vitest';

import type { ActorName } from '../../actors/lifecycle/names.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import { via } from '../../actors/lifecycle/registry.ts';
import { childSpec } from '../../supervisors/child-spec-of.ts';
import {
  dynamicSupervisor,
  DynamicSupervisorHandle,
  startDynamicSupervisor,
} from '../../supervisors/dynamic-supervisor.ts';
import { handleOf } from '../../supervisors/handles.ts';
import { startRegistry } from '../../supervisors/messages.ts';
import { startSupervisor, supervisor } from '../../supervisors/start-supervisor.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { SupervisorHandle, type StartedChild } from '../../supervisors/supervisor-handle.ts';
import { plain, std } from '../conformance/children.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';

async function tree(flags: SupervisorFlags): Promise<VirtualSystem & { top: SupervisorHandle }> {
  const world = virtualSystem();
  return { ...world, top: await world.settled(startSupervisor(flags, world)) };
}

function refOf(started: StartedChild | 'ignore'): ActorRef {
  if (started === 'ignore' || started.child === undefined) throw new Error('nothing was started');
  return started.child;
}

describe('a supervisor within a tree', () => {
  const below = (name?: ActorName): SupervisorFlags => ({
    children: [
      {
        id: 'static',
        start: supervisor({ ...(name === undefined ? {} : { name }), children: [] }),
      },
      childSpec(dynamicSupervisor),
    ],
  });

  it('is held by its reference, static or dynamic', async () => {
    const { top, settled } = await tree(below());
    const [dynamicEntry, staticEntry] = await settled(top.whichChildren());
    const ofStatic = handleOf(staticEntry?.child as ActorRef);
    const ofDynamic = handleOf(dynamicEntry?.child as ActorRef);
    expect(ofStatic).toBeInstanceOf(SupervisorHandle);
    if (!(ofDynamic instanceof DynamicSupervisorHandle)) throw new Error('it is dynamic');
    const child = refOf(await settled(ofDynamic.startChild({ start: std })));
    expect(child.path).toBe('root/dynamicSupervisor/1');
    expect(handleOf(ofDynamic.ref)).toBe(ofDynamic);
    expect(handleOf(top.ref).ref).toBe(top.ref);
  });

  it('is within reach as one incarnation', async () => {
    const { top, settled, settle } = await tree(below('inner'));
    const { child } = await settled(top.whichChild('static'));
    const before = handleOf(child as ActorRef);
    const ended = before.stop();
    await settle();
    expect(await ended).toEqual({ type: 'shutdown' });
    await expect(before.whichChildren()).rejects.toMatchObject({ code: 'noproc' });
    expect(() => handleOf(child as ActorRef)).toThrow(expect.objectContaining({ code: 'noproc' }));
    const after = await settled(top.whichChild('static'));
    expect(handleOf(after.child as ActorRef)).not.toBe(before);
  });

  it('is nobody where there is none', async () => {
    const { top, system, settled } = await tree({ children: [{ id: 'worker', start: plain }] });
    const { child } = await settled(top.whichChild('worker'));
    const noproc = expect.objectContaining({ code: 'noproc' }) as Error;
    expect(() => handleOf(child as ActorRef)).toThrow(noproc);
    expect(() => handleOf(system.whereis('nobody'))).toThrow(noproc);
  });

  it.each(['inner', via('names', 'inner')])(
    'has the name of its flags, again after a restart, and gives it back at its end',
    async (name) => {
      const world = virtualSystem();
      const { system, settled, settle } = world;
      startRegistry({ name: 'names', keys: 'unique' }, world);
      const top = await settled(startSupervisor(below(name), world));
      const first = system.whereis(name);
      expect(first).toBe((await settled(top.whichChild('static'))).child);
      void handleOf(first).stop();
      await settle();
      const second = system.whereis(name);
      expect(second).toBe((await settled(top.whichChild('static'))).child);
      expect(second).not.toBe(first);
      await settled(top.stop());
      expect(system.whereis(name)).toBeUndefined();
    },
  );

  it('does not start when its name is taken', async () => {
    const { top, system, settled } = await tree(below('inner'));
    const start = dynamicSupervisor({ name: 'inner' });
    const taken = { code: 'already_started', ref: system.whereis('inner') };
    const refused = settled(top.startChild({ id: 'second', start }));
    await expect(refused).rejects.toMatchObject(taken);
    const atTheTop = startDynamicSupervisor({ name: 'inner' }, { system });
    await expect(atTheTop).rejects.toMatchObject(taken);
  });

  it('is found by its name while its children start', async () => {
    const world = virtualSystem();
    const found: (ActorRef | undefined)[] = [];
    const start = (): 'ignore' => {
      found.push(world.system.whereis('mine'));
      return 'ignore';
    };
    const flags = { name: 'mine', children: [{ id: 'a', start }] };
    const top = await world.settled(startSupervisor(flags, world));
    expect(found).toEqual([top.ref]);
  });
});

describe('a slip of a caller', () => {
  it.each([undefined, null, 7, {}, { id: 'a', path: 'root/a' }])(
    'is told to that caller only: %j is no child',
    async (child) => {
      const { top, settled } = await tree({ children: [{ id: 'a', start: std }] });
      for (const ask of ['whichChild', 'getChildSpec', 'terminateChild'] as const) {
        await expect(settled<unknown>(top[ask](child as never))).rejects.toThrow(TypeError);
      }
      expect(await settled(top.countChildren())).toMatchObject({ active: 1 });
    },
  );

  it('is an input that throws when it is read', async () => {
    const world = virtualSystem();
    const options = { extraArguments: { shared: 1 } };
    const sup = await world.settled(startDynamicSupervisor(options, world));
    const input = {
      get own(): never {
        throw new RangeError('no');
      },
    };
    await expect(sup.startChild({ start: std, input })).rejects.toThrow(RangeError);
    expect(await sup.countChildren()).toMatchObject({ specs: 0 });
  });
});
