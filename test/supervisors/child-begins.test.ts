// What can a child do to its supervisor, and see of itself, while its own start function still runs?
import { fromCallback } from 'xstate';
import { describe, expect, it } from 'vitest';

import { startRegistry } from '../../src/otp.ts';
import { startSupervisor, supervisor } from '../../supervisors/start-supervisor.ts';
import type { ActorName } from '../../actors/lifecycle/names.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { std } from '../conformance/children.ts';
import { virtualSystem } from '../support/virtual-system.ts';

const idle = fromCallback(() => undefined);

async function world() {
  const virtual = virtualSystem();
  const sup = await virtual.settled(startSupervisor({}, virtual));
  let runningCount = 0;
  const counted = fromCallback(() => {
    runningCount += 1;
    return () => {
      runningCount -= 1;
    };
  });
  return { ...virtual, sup, counted, running: () => runningCount };
}

describe('a child that has a name', () => {
  const seenBy = async (name: (virtual: ReturnType<typeof virtualSystem>) => ActorName) => {
    const virtual = virtualSystem();
    const own = name(virtual);
    const seen: [self: ActorRef, found: ActorRef | undefined][] = [];
    const start: ChildSpec['start'] = (_input: unknown, { self }) => {
      seen.push([self, virtual.system.whereis(own)]);
      return { logic: idle };
    };
    const children = [{ id: 'a', name: own, start }];
    await virtual.settled(startSupervisor({ children }, virtual));
    return seen;
  };

  it('finds itself by it in its first start, as OTP registers a process before its init', async () => {
    const [first] = await seenBy(() => 'own');
    expect(first?.[1]).toBe(first?.[0]);
  });

  it('finds itself by the key of a registry, too', async () => {
    const [first] = await seenBy((virtual) =>
      startRegistry({ name: 'registry', keys: 'unique' }, virtual).via('own'),
    );
    expect(first?.[1]).toBe(first?.[0]);
  });

  it('that is a supervisor is found by its children in their starts', async () => {
    const virtual = virtualSystem();
    const seen: unknown[] = [];
    const start = () => {
      seen.push(virtual.system.whereis('below')?.path);
      return { logic: idle };
    };
    const below = supervisor({ children: [{ id: 'a', start }] });
    const children = [{ id: 'b', name: 'below', start: below }];
    await virtual.settled(startSupervisor({ children }, virtual));
    expect(seen).toEqual(['root/b']);
  });

  it('keeps it from others while its first start runs', async () => {
    const virtual = virtualSystem();
    const sup = await virtual.settled(startSupervisor({}, virtual));
    const other = await virtual.settled(startSupervisor({ name: 'other' }, virtual));
    const start = () => {
      void other.startChild({ id: 'thief', name: 'own', start: idle }).catch(() => undefined);
      return { logic: idle };
    };
    const { child } = await virtual.settled(sup.startChild({ id: 'a', name: 'own', start }));
    expect(virtual.system.whereis('own')).toBe(child);
  });
});

describe('in its start function a child', () => {
  it('can stop its supervisor, and does not outlive it', async () => {
    const { advance, counted, running, settled, sup } = await world();
    const start = () => {
      void sup.stop();
      return { logic: counted };
    };
    await expect(settled(sup.startChild({ id: 'a', start }))).rejects.toMatchObject({
      code: 'noproc',
    });
    await advance(0);
    expect([running(), sup.ref.exitReason]).toEqual([0, { type: 'shutdown' }]);
  });

  it('can have itself terminated, and everybody has an answer', async () => {
    const { counted, running, settled, sup } = await world();
    let terminated: Promise<void> | undefined;
    const start = () => {
      terminated = sup.terminateChild('a');
      return { logic: counted };
    };
    await expect(settled(sup.startChild({ id: 'a', start }))).rejects.toMatchObject({
      code: 'failed_to_start_child',
    });
    await settled(terminated ?? Promise.reject(new Error('it did not ask')));
    expect([running(), await settled(sup.whichChildren())]).toEqual([0, []]);
  });
});

describe('a child whose start counts when it is spawned', () => {
  it('begins before those after it in a restart, too', async () => {
    const virtual = virtualSystem();
    const children: ChildSpec[] = [
      { id: 'a', start: std, ack: 'spawned' },
      { id: 'b', start: std },
    ];
    const flags = { strategy: 'rest_for_one', children } as const;
    const sup = await virtual.settled(startSupervisor(flags, virtual));
    const before = virtual.told('child.starting').length;
    sup.children()[0]!.ref.send({ type: 'die' });
    await virtual.settle();
    const starts = virtual.told('child.starting').slice(before);
    expect(starts.map(({ path }) => path)).toEqual(['root/a', 'root/b']);
  });
});
