// Do calls, casts and stops between actors end as those of a GenServer do? Cases 227 to 232, of Elixir's gen_server_test.
import { describe, expect } from 'vitest';

import type { Down } from '../../actors/lifecycle/monitor.ts';
import { via } from '../../actors/lifecycle/registry.ts';
import { self } from '../../actors/lifecycle/self.ts';
import { call, cast, monitor, startRegistry, stop, whereis } from '../../supervisors/messages.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { boom, doer, doers, LATER, rejectionOf, type Job } from '../actors/lifecycle/actors.ts';
import { scenario } from './scenario.ts';
import { child } from './stage.ts';

const later: Job = { type: 'later', run: () => LATER };

describe('calls between actors', () => {
  scenario(
    227,
    'call exit messages',
    'the call rejects with the reason; nobody deals with it in an actor: that actor crashes with it (crash-trap)',
    async () => {
      const made = await doers();
      const { one, two, as, world } = made;
      const own = as(one, () => rejectionOf(call(self()!, later))) as Promise<object>;
      expect(await made.ask(own)).toMatchObject({ code: 'calling_self' });
      const timeout = rejectionOf(call(two, later, { timeoutMs: 1 }));
      await world.advance(1);
      expect(await made.ask(timeout)).toMatchObject({ code: 'timeout' });
      expect(await made.ask(rejectionOf(call('nobody', later, world)))).toMatchObject({
        code: 'noproc',
      });
      await made.ask(stop(two));
      expect(await made.ask(rejectionOf(call(two, later)))).toMatchObject({ code: 'noproc' });
    },
  );

  scenario(229, 'cast to a missing name', '', async () => {
    const { world } = await doers();
    startRegistry({ name: 'r', keys: 'unique' }, world);
    for (const name of ['nobody', via('r', 'nobody'), via('no registry', 'nobody')]) {
      expect(() => cast(name, { type: 'hello' }, world)).not.toThrow();
    }
    expect(world.told('letter.dead').map(({ path }) => path)).toEqual([
      'nobody',
      'r:nobody',
      'no registry:nobody',
    ]);
  });

  scenario(
    230,
    'start and start_link',
    'there are no links: a supervisor’s end is heard of by those alone who monitor it',
    async () => {
      const made = await doers();
      const { one, as, world } = made;
      const starting = as(one, () => startTree(world)) as ReturnType<typeof startTree>;
      const sup = await made.ask(starting);
      const downs: Down[] = [];
      monitor(sup.ref, (down) => downs.push(down));
      as(one, boom);
      expect(sup.ref.exitReason).toBeUndefined();
      await made.ask(sup.stop());
      expect(downs.map(({ reason }) => reason)).toEqual([{ type: 'shutdown' }]);
    },
  );

  scenario(231, 'stop', '', async () => {
    const made = await doers();
    const { one, two, as } = made;
    const own = as(one, () => rejectionOf(stop(one))) as Promise<object>;
    expect(await made.ask(own)).toMatchObject({ code: 'calling_self' });
    expect(await made.ask(stop(two))).toEqual({ type: 'normal' });
    expect(two.exitReason).toEqual({ type: 'normal' });
    expect(await made.ask(rejectionOf(stop(two)))).toMatchObject({ code: 'noproc' });
    expect(await made.ask(rejectionOf(stop('nobody', undefined, made.world)))).toMatchObject({
      code: 'noproc',
    });
  });

  scenario(232, 'whereis', '', async () => {
    const made = await doers();
    const { one, world } = made;
    const names = startRegistry({ name: 'r', keys: 'unique' }, world);
    const named = await made.start(child('named', { start: doer, name: 'a name' }));
    const kept = await made.start(child('kept', { start: doer, name: via('r', 1) }));
    expect(whereis(one, world)).toBe(one);
    expect(whereis('a name', world)).toBe(named);
    expect(world.system.whereis('a name')).toBe(named);
    expect(whereis(names.via(1), world)).toBe(kept);
    expect([whereis('bad', world), whereis(names.via('bad'), world)]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

function startTree(world: Awaited<ReturnType<typeof doers>>['world']) {
  return startSupervisor({ children: [child('a')] }, world);
}
