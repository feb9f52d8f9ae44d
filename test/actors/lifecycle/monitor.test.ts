// Does a monitor tell of an end once, in order, later, and to those alone who still want to know?
import { describe, expect, it } from 'vitest';

import type { Down } from '../../../actors/lifecycle/monitor.ts';
import { via } from '../../../actors/lifecycle/registry.ts';
import { monitor } from '../../../supervisors/messages.ts';
import { boom, doers, overheard, type Job } from './actors.ts';

const DIE: Job = { type: 'die', run: boom };
const NOPROC = { type: 'noproc' };

describe('a monitor', () => {
  it('tells of the end once, with who and why', async () => {
    const { one, world } = await doers();
    const downs: Down[] = [];
    const { id } = monitor(one, (down) => downs.push(down));
    one.send(DIE);
    expect(downs).toEqual([]);
    await world.settle();
    const reason = { type: 'error', error: new Error('boom') };
    expect(downs).toEqual([{ type: 'DOWN', monitorId: id, ref: one, reason }]);
    one.send(DIE);
    await world.settle();
    expect(downs).toHaveLength(1);
  });

  it('tells noproc of the dead and of nobody, never from inside', async () => {
    const { one, world } = await doers();
    one.send(DIE);
    await world.settle();
    const downs: Down[] = [];
    monitor(one, (down) => downs.push(down));
    monitor('nobody', (down) => downs.push(down), world);
    expect(downs).toEqual([]);
    await world.settle();
    expect(downs.map(({ ref, reason }) => [ref, reason])).toEqual([
      [one, NOPROC],
      [undefined, NOPROC],
    ]);
  });

  it('is one of several, each with an end of its own', async () => {
    const { one, world } = await doers();
    const downs: number[] = [];
    const ids = [1, 2].map(() => monitor(one, (down) => downs.push(down.monitorId)).id);
    monitor(one, () => downs.push(-1)).demonitor();
    one.send(DIE);
    await world.settle();
    expect(downs).toEqual(ids);
    expect(new Set(ids).size).toBe(2);
  });

  it('tells after the last messages of the dead, even where those wait in a mailbox', async () => {
    const { one, two, as, world } = await doers();
    const seen: string[] = [];
    const say = (text: string): Job => ({ type: text, run: (_from, { type }) => seen.push(type) });
    as(two, () => monitor(one, () => seen.push('DOWN')));
    // Two is at work while one speaks its last words and dies.
    as(two, () => {
      as(one, () => {
        two.send(say('last words'));
        boom();
      });
      seen.push('still at work');
    });
    await world.settle();
    expect(seen).toEqual(['still at work', 'last words', 'DOWN']);
  });

  it('sends an actor the event that it asked for', async () => {
    const { one, two, as, world } = await doers();
    const seen = overheard(two);
    const { id } = monitor(one, { notify: two, event: 'one.ended' });
    monitor(one, { notify: two });
    as(one, boom);
    await world.settle();
    const reason = { type: 'error', error: new Error('boom') };
    expect(seen).toEqual([
      { type: 'one.ended', monitorId: id, ref: one, reason },
      { type: 'DOWN', monitorId: id + 1, ref: one, reason },
    ]);
  });

  it('is taken back by demonitor, a DOWN that waits included, unless that is wanted', async () => {
    const { one, world } = await doers();
    const downs: string[] = [];
    const alive = monitor(one, () => downs.push('alive'));
    expect([alive.demonitor(), alive.demonitor()]).toEqual([true, false]);
    const flushed = monitor(one, () => downs.push('flushed'));
    const kept = monitor(one, () => downs.push('kept'));
    one.send(DIE);
    expect(flushed.demonitor()).toBe(false);
    expect(kept.demonitor({ flush: false })).toBe(false);
    await world.settle();
    expect(downs).toEqual(['kept']);
    expect(kept.demonitor()).toBe(false);
  });

  it('goes with the actor that made it, and with the one that it notifies', async () => {
    const { one, two, as, world } = await doers();
    const downs: unknown[] = [];
    as(two, () => monitor(one, (down) => downs.push(down)));
    monitor(one, { notify: two });
    as(two, boom);
    as(one, boom);
    await world.settle();
    expect(downs).toEqual([]);
    expect(world.told('letter.dead')).toEqual([]);
  });

  it('is not told by an actor that died between the end and the DOWN', async () => {
    const { one, two, as, world } = await doers();
    const downs: unknown[] = [];
    as(two, () => monitor(one, (down) => downs.push(down)));
    as(one, boom);
    as(two, boom);
    await world.settle();
    expect(downs).toEqual([]);
  });

  it('whose listener throws hurts nobody: the bus hears of it', async () => {
    const { one, two, as, world } = await doers();
    const downs: Down[] = [];
    as(two, () => monitor(one, boom));
    monitor(one, (down) => downs.push(down));
    as(one, boom);
    await world.settle();
    expect(two.exitReason).toBeUndefined();
    expect(downs).toHaveLength(1);
    expect(world.told('monitor.listener_failed')).toEqual([
      { monitorId: 1, path: 'root/one', error: new Error('boom') },
    ]);
  });

  it('of a name in a registry that does not run is an error', async () => {
    const { world } = await doers();
    expect(() => monitor(via('none', 'key'), () => undefined, world)).toThrow(
      expect.objectContaining({ code: 'unknown_registry' }),
    );
  });
});
