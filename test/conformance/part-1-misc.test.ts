// What else does supervisor_SUITE ask of a supervisor? Cases 56, 57, 79, 91 and 92.
import { describe, expect } from 'vitest';

import { supervisor } from '../../supervisors/start-supervisor.ts';
import { SupervisorError } from '../../supervisors/supervision-errors.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { failAgain, std } from './children.ts';
import { scenario } from './scenario.ts';
import { child, HOUR_MS, stage } from './stage.ts';

const SHUTDOWN = { type: 'shutdown' };

describe('misbehaviour', () => {
  scenario(
    56,
    'child_unlink',
    'the child answers no request to shut down, or its start hears of none',
    async () => {
      const play = await stage();
      const naughty = await play.start(child('naughty'));
      await play.tell(naughty, { type: 'sleep' });
      const ended = play.sup.terminateChild('naughty');
      const counted = play.sup.countChildren();
      await play.soon(ended, 1_000);
      expect(naughty.exitReason).toEqual({ type: 'killed' });
      expect(await play.ask(counted)).toMatchObject({ specs: 1, active: 0 });

      const never = new Promise<never>(() => undefined);
      const started = play.sup.startChild(child('deaf', { start: () => never }));
      started.catch(() => undefined);
      await play.world.settle();
      await play.soon(play.sup.terminateChild('deaf'), 1_000);
      await expect(play.ask(started)).rejects.toMatchObject({ code: 'failed_to_start_child' });
      expect(await play.which()).toEqual([['naughty', undefined]]);
      expect(await play.ask(play.sup.stop())).toEqual(SHUTDOWN);
    },
  );

  scenario(
    91,
    'already_started_outside_supervisor',
    'the name is in the specification',
    async () => {
      const play = await stage();
      const other = await stage({}, play.world);
      const holder = await other.start(child('holder', { name: 'taken' }));
      const spec = child('child1', { name: 'taken' });
      await expect(play.ask(play.sup.startChild(spec))).rejects.toMatchObject({
        code: 'already_started',
        ref: holder,
      });
      expect(await play.which()).toEqual([]);
      expect(play.world.system.whereis('taken')).toBe(holder);

      // A start function that found that out by itself.
      const refusing = (code: 'already_started' | 'not_found'): ReturnType<typeof child> =>
        child('child2', {
          start: () => {
            throw new SupervisorError(code, 'another', { op: 'start', ref: holder });
          },
        });
      await expect(play.start(refusing('already_started'))).rejects.toMatchObject({ ref: holder });
      await expect(play.start(refusing('not_found'))).rejects.toMatchObject({
        code: 'failed_to_start_child',
      });
      expect(await play.which()).toEqual([]);
    },
  );
});

describe('a tree', () => {
  scenario(57, 'tree', '', async () => {
    const supervising = { maxRestarts: 4, periodMs: HOUR_MS };
    const one = { ...supervising, children: [child('child1'), child('child2')] };
    const two = { ...supervising, children: [] };
    const three = { ...supervising, children: [] };
    const top = await stage({ strategy: 'one_for_all', maxRestarts: 4 });
    await top.starts(
      child('sup1', { start: supervisor(one), shutdown: 'infinity' }),
      child('sup2', { start: supervisor(two), shutdown: 'infinity' }),
      child('sup3', { start: supervisor(three), shutdown: 'infinity', restart: 'transient' }),
    );
    await top.ask(top.sup.terminateChild('sup3'));
    expect(await top.counts()).toEqual([3, 2, 3, 0]);
    const [sup1, sup2] = await top.refs('sup1', 'sup2');
    expect(await top.which()).toEqual([
      ['sup3', undefined],
      ['sup2', sup2],
      ['sup1', sup1],
    ]);
    const below1 = top.below('sup1', one);
    expect(await below1.counts()).toEqual([2, 2, 0, 2]);
    const below2 = top.below('sup2', two);
    const [child3, child4] = await below2.starts(
      child('child3', { start: failAgain() }),
      child('child4'),
    );
    const [child1, child2] = await below1.refs('child1', 'child2');

    await below2.end(child4!, 'abnormal');
    const another4 = await below2.ref('child4');
    expect(another4).not.toBe(child4);
    expect(await below2.which()).toEqual([
      ['child4', another4],
      ['child3', child3],
    ]);
    expect(await below1.refs('child1', 'child2')).toEqual([child1, child2]);

    await below2.end(child3!, 'abnormal');
    expect(below2.exit).toEqual(SHUTDOWN);
    expect(another4.exitReason).toEqual(SHUTDOWN);
    expect(below1.exit).toEqual(SHUTDOWN);
    expect(top.exit).toBeUndefined();
    expect(await top.counts()).toEqual([3, 3, 3, 0]);
    const after = await top.refs('sup1', 'sup2', 'sup3');
    expect(after).not.toContain(sup1);
    expect(after).not.toContain(sup2);
    const again = top.below('sup1', one);
    expect(await again.counts()).toEqual([2, 2, 0, 2]);
    expect(await again.ref('child1')).not.toBe(child1);
    expect(await again.ref('child2')).not.toBe(child2);
    expect(await top.below('sup2', two).which()).toEqual([]);
    expect(await top.below('sup3', three).which()).toEqual([]);
  });

  scenario(
    79,
    'simple_global_supervisor',
    'the names are of this system, and a supervisor is killed by too many crashes',
    async () => {
      const middle: SupervisorFlags = {
        maxRestarts: 1,
        periodMs: HOUR_MS,
        children: [child('server', { name: 'server' })],
      };
      const spec = child('middle', {
        ...{ start: supervisor(middle), name: 'middle', shutdown: 'infinity' },
      });
      const top = await stage({ maxRestarts: 3, children: [spec] });
      const { system } = top.world;
      const named = (): readonly unknown[] => [system.whereis('middle'), system.whereis('server')];
      const both = (): readonly NonNullable<ReturnType<typeof system.whereis>>[] => {
        const refs = ['middle', 'server'].map((name) => system.whereis(name)!);
        expect(refs.map((ref) => ref.exitReason)).toEqual([undefined, undefined]);
        return refs;
      };
      const [middle1, server1] = both();

      // A worker is killed: its name is its successor's.
      await top.end(server1!, 'kill');
      const [middle2, server2] = both();
      expect(middle2).toBe(middle1);
      expect(server2).not.toBe(server1);

      // The supervisor goes down with one more: both names are successors'.
      await top.end(server2!, 'kill');
      const [middle3, server3] = both();
      expect(middle3).not.toBe(middle2);
      expect(server3).not.toBe(server2);

      // A worker ends by itself.
      await top.end(server3!, 'normal');
      const [middle4, server4] = both();
      expect(middle4).toBe(middle3);
      expect(server4).not.toBe(server3);

      // By order.
      await top.ask(top.sup.terminateChild('middle'));
      expect(named()).toEqual([undefined, undefined]);
      await top.ask(top.sup.restartChild('middle'));
      const [middle5, server5] = both();
      expect(middle5).not.toBe(middle4);
      expect(server5).not.toBe(server4);
      const below = top.below('middle', middle);
      await below.ask(below.sup.terminateChild('server'));
      expect(named()).toEqual([middle5, undefined]);
      await below.ask(below.sup.restartChild('server'));
      expect(both()[1]).not.toBe(server5);

      await top.ask(top.sup.stop());
      expect(named()).toEqual([undefined, undefined]);
      expect(system.names.registered()).toEqual([]);
    },
  );
});

describe('asking', () => {
  scenario(92, 'which_children', '', async () => {
    const play = await stage();
    const { sup } = play;
    const entry = (id: string, ref: unknown): object => ({ id, child: ref, type: 'worker' });
    const notFound = { code: 'not_found' };
    expect(await play.which()).toEqual([]);
    await expect(play.ask(sup.whichChild('child1'))).rejects.toMatchObject(notFound);

    const first = await play.start(child('child1', { start: std }));
    expect(await play.ask(sup.whichChildren())).toEqual([entry('child1', first)]);
    expect(await play.ask(sup.whichChild('child1'))).toEqual(entry('child1', first));
    await expect(play.ask(sup.whichChild('child2'))).rejects.toMatchObject(notFound);

    const second = await play.start(child('child2'));
    const both = [entry('child2', second), entry('child1', first)];
    expect(await play.ask(sup.whichChildren())).toEqual(both);
    expect(await play.ask(sup.whichChild('child2'))).toEqual(entry('child2', second));

    await play.ask(sup.terminateChild('child1'));
    const down = entry('child1', undefined);
    expect(await play.ask(sup.whichChildren())).toEqual([entry('child2', second), down]);
    expect(await play.ask(sup.whichChild('child1'))).toEqual(down);

    await play.ask(sup.deleteChild('child1'));
    expect(await play.ask(sup.whichChildren())).toEqual([entry('child2', second)]);
    await expect(play.ask(sup.whichChild('child1'))).rejects.toMatchObject(notFound);
  });
});
