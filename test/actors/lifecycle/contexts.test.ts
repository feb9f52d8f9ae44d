// Who finds what in a program's own AsyncLocalStorage? Whoever asked for it, and none of those whom it only concerns.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setup } from 'xstate';
import { describe, expect, it } from 'vitest';

import { Bus } from '../../../actors/ground/bus.ts';
import { currentOwner, runInside } from '../../../actors/lifecycle/crash-trap.ts';
import type { StartFunction } from '../../../actors/lifecycle/start-function.ts';
import { monitor, startRegistry } from '../../../supervisors/messages.ts';
import { startTaskSupervisor } from '../../../supervisors/task-supervisor.ts';
import { supervise } from '../../conformance/supervised.ts';

const storage = new AsyncLocalStorage<string>();
const found = (): string => storage.getStore() ?? 'nothing';

/** Notes what it finds when it starts, and in its clean-up. Crashes within a store of its own. */
function noting(log: string[]): StartFunction {
  const crash = (): void => {
    storage.run('of the actor', () => {
      throw new Error('boom');
    });
  };
  const logic = setup({ types: { events: {} as { readonly type: 'crash' } } }).createMachine({
    on: { crash: { actions: crash } },
  });
  return (_input, { self: { id, epoch } }) => {
    log.push(`${id}#${epoch} started with ${found()}`);
    return { logic, cleanUp: () => log.push(`${id}#${epoch} cleaned up with ${found()}`) };
  };
}

describe('a store', () => {
  it('is found neither by the children whose start somebody asked for, nor by those whom the crash of a sibling concerns', async () => {
    const log: string[] = [];
    const start = noting(log);
    const held = await storage.run('of who starts', () =>
      supervise({ strategy: 'one_for_all', children: [{ id: 'a', start }] }),
    );
    await storage.run('of who starts a child', () => held.start({ id: 'b', start }));
    const a = await held.child('a');
    await storage.run('of who sends', () => held.tell(a, { type: 'crash' }));
    await storage.run('of who stops', () => held.ask(held.sup.stop()));
    expect(log).toHaveLength(8);
    expect(log.filter((line) => !line.endsWith('with nothing'))).toEqual([]);
  });

  it('is found by the tasks, the work under a lock and the listener that somebody asked for', async () => {
    const { world, start, child, tell } = await heldWithChild();
    await start();
    const tasks = await startTaskSupervisor({}, world);
    const registry = startRegistry({ name: 'registry', keys: 'unique' }, world);
    const log: string[] = [];
    const first = registry.lock('key', async () => Promise.resolve());
    await storage.run('of who asks', async () => {
      monitor(await child(), () => void log.push(`down with ${found()}`));
      void registry.lock('key', () => log.push(`locked with ${found()}`));
      const task = await world.settled(tasks.async(async () => found()));
      log.push(`task with ${await world.settled(task.await())}`);
      const all = tasks.asyncStream([1], () => found());
      for await (const result of all) log.push(`stream with ${JSON.stringify(result)}`);
    });
    await storage.run('of who crashes it', tell);
    await world.settled(first);
    expect(log.sort()).toEqual([
      'down with of who asks',
      'locked with of who asks',
      'stream with {"type":"ok","value":"of who asks"}',
      'task with of who asks',
    ]);
  });
});

async function heldWithChild() {
  const held = await supervise();
  const start = noting([]);
  return {
    world: held.world,
    start: () => held.start({ id: 'child', start }),
    child: () => held.child('child'),
    tell: async () => held.tell(await held.child('child'), { type: 'crash' }),
  };
}

describe('the listener of a bus', () => {
  it('is the code of who began to watch, and not of who emits', () => {
    const bus = new Bus();
    const crashed = (): void => undefined;
    const [watcher, emitter] = [{ crashed }, { crashed }];
    const owners: unknown[] = [];
    bus.on('child.starting', () => owners.push(currentOwner()));
    runInside(watcher, () => bus.on('child.starting', () => owners.push(currentOwner())));
    runInside(emitter, () => bus.emit('child.starting', { path: 'p', epoch: 1 }));
    expect(owners).toEqual([undefined, watcher]);
    expect(owners[1]).toBe(watcher);
  });

  it('may make way for itself without being called again', () => {
    const bus = new Bus();
    let calls = 0;
    let end: () => void = () => undefined;
    const again = (): void => {
      calls += 1;
      end();
      end = bus.on('child.starting', again);
    };
    end = bus.on('child.starting', again);
    bus.emit('child.starting', { path: 'p', epoch: 1 });
    bus.emit('child.starting', { path: 'p', epoch: 1 });
    expect(calls).toBe(2);
  });

  it('is not called any more by the event in which another ended it', () => {
    const bus = new Bus();
    const heard: string[] = [];
    bus.on('child.starting', () => end());
    const end = bus.on('child.starting', () => heard.push('ended'));
    bus.emit('child.starting', { path: 'p', epoch: 1 });
    expect(heard).toEqual([]);
  });
});
