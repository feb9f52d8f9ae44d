// Who must come and who must go? The plan of a fleet's size, fact by fact.
import { describe, expect, it } from 'vitest';

import { planFleet } from '../../../supervisors/pool/fleet-plan.ts';
import { BUSY, facts, IDLE_MS, idleFor, NOW_MS, planned, worker, workers } from './fleet-facts.ts';

describe('a fleet that is as it should be', () => {
  it('is left alone, and looked at never again', () => {
    const plan = planFleet(facts({}));
    expect(plan).toEqual({ orders: [], lookAtMs: Infinity, room: 0 });
  });

  it('is left alone, and not looked at again, however long nobody calls', () => {
    for (const ms of [10, IDLE_MS]) {
      const idle = { workers: [worker('a', idleFor(ms)), worker('b', idleFor(ms))] };
      expect(planFleet(facts(idle))).toMatchObject({ orders: [], lookAtMs: Infinity });
    }
  });

  it('is left alone while its workers are busy and calls wait', () => {
    expect(planned({ load: BUSY })).toEqual([]);
  });

  it('is completed, but not before the last start that failed is over', () => {
    const short = { workers: workers('a'), notBeforeMs: NOW_MS + 5 };
    expect(planned({ ...short, notBeforeMs: NOW_MS })).toEqual(['start size']);
    expect(planFleet(facts({ notBeforeMs: NOW_MS })).lookAtMs).toBe(Infinity);
    expect(planFleet(facts(short))).toMatchObject({ orders: [], lookAtMs: NOW_MS + 5 });
  });

  it.each(['retiring', 'stopping'] as const)('counts on nobody who is %s', (state) => {
    expect(planned({ workers: [worker('a'), worker('b', { state })] })).toEqual(['start size']);
  });
});

describe('overflow', () => {
  const two = { overflow: 2, load: BUSY };

  it('starts as many as calls wait, within its number', () => {
    expect(planned(two)).toEqual(['start overflow', 'start overflow']);
    expect(planned({ ...two, load: { ...BUSY, queued: 1 } })).toEqual(['start overflow']);
  });

  it('starts nobody while somebody is idle', () => {
    expect(planned({ ...two, load: { ...BUSY, idle: 1 } })).toEqual([]);
  });

  it('counts those that are on their way', () => {
    const coming = [...workers('a', 'b'), worker('c', { state: 'probation', because: 'overflow' })];
    expect(planned({ ...two, workers: coming })).toEqual(['start overflow']);
    const restarting = [worker('a'), worker('b', { state: 'restarting' })];
    expect(planned({ ...two, workers: restarting, load: { ...BUSY, queued: 1 } })).toEqual([]);
  });

  it('starts nobody before the first worker is ready: all calls wait for that one', () => {
    const starting = [worker('a', { state: 'restarting' }), worker('b', { state: 'restarting' })];
    expect(planned({ ...two, workers: starting, load: { ...BUSY, queued: 9 } })).toEqual([]);
  });

  it('starts nobody for a while after one did not start', () => {
    expect(planned({ ...two, notBeforeMs: NOW_MS + 1 })).toEqual([]);
  });

  it('says how many more may come', () => {
    expect(planFleet(facts({ overflow: 2 })).room).toBe(2);
    const more = { overflow: 2, workers: workers('a', 'b', 'c', 'd', 'e') };
    expect(planFleet(facts(more)).room).toBe(0);
  });

  it('lets those go that had no call for long enough, the longest idle first, down to the size', () => {
    const surplus = [
      worker('a', idleFor(IDLE_MS)),
      worker('b', idleFor(IDLE_MS + 2)),
      worker('c', idleFor(IDLE_MS + 1)),
      worker('d'),
    ];
    expect(planned({ overflow: 2, workers: surplus })).toEqual(['retire b idle', 'retire c idle']);
  });

  it('lets nobody go whom the size needs, as another is not ready', () => {
    const surplus = [
      worker('a', idleFor(IDLE_MS)),
      worker('b'),
      worker('c', { state: 'restarting' }),
    ];
    expect(planned({ overflow: 2, workers: surplus })).toEqual([]);
  });

  it('looks again when the first of them will have been idle for long enough', () => {
    const surplus = [worker('a', idleFor(10)), worker('b', idleFor(20)), worker('c')];
    const plan = planFleet(facts({ overflow: 2, workers: surplus }));
    expect(plan).toMatchObject({ orders: [], lookAtMs: NOW_MS + IDLE_MS - 20 });
  });
});

describe('autoscale', () => {
  const autoscale = { min: 1, max: 3, queueWaitMs: 50 };
  const slow = { ...BUSY, oldestWaitMs: 50 };

  it('has one worker more when the oldest call has waited for long enough', () => {
    expect(planned({ autoscale, load: slow })).toEqual(['size 3', 'start autoscale']);
  });

  it('waits until then, and no longer', () => {
    const plan = planFleet(facts({ autoscale, load: { ...slow, oldestWaitMs: 49 } }));
    expect(plan).toMatchObject({ orders: [], lookAtMs: NOW_MS + 1 });
  });

  it('has one on its way at a time', () => {
    const coming = [...workers('a'), worker('b', { state: 'probation', because: 'autoscale' })];
    expect(planned({ autoscale, load: slow, workers: coming })).toEqual([]);
  });

  it('takes a worker of the overflow for one of its own', () => {
    const more = { autoscale, load: slow, overflow: 1, workers: workers('a', 'b', 'c') };
    expect(planned(more)).toEqual(['size 3']);
  });

  it.each([
    ['its most', { size: 3, workers: workers('a', 'b', 'c') }],
    ['somebody idle', { load: { ...slow, idle: 1 } }],
    ['nobody waiting', { load: { ...slow, queued: 0 } }],
    ['a start that failed just now', { notBeforeMs: NOW_MS + 1 }],
  ])('grows no further with %s', (_what, more) => {
    expect(planned({ autoscale, load: slow, ...more })).toEqual([]);
  });

  it('has one worker less when one was idle for long enough', () => {
    const idle = [worker('a'), worker('b', idleFor(IDLE_MS))];
    expect(planned({ autoscale, workers: idle })).toEqual(['size 1', 'retire b idle']);
  });

  it('keeps its least, and looks at nothing then', () => {
    const least = { autoscale: { ...autoscale, min: 2 } };
    const idle = [worker('a', idleFor(IDLE_MS)), worker('b', idleFor(1))];
    const plan = planFleet(facts({ ...least, workers: idle }));
    expect(plan).toMatchObject({ orders: [], lookAtMs: Infinity });
  });

  it('lets nobody go while another is not ready, even one beyond the size', () => {
    const beyond = [
      worker('a', idleFor(IDLE_MS)),
      worker('b'),
      worker('c', { state: 'restarting' }),
    ];
    expect(planned({ autoscale, workers: beyond })).toEqual([]);
    const idle = [worker('a', idleFor(IDLE_MS)), worker('b', { state: 'restarting' })];
    expect(planned({ autoscale, workers: idle })).toEqual([]);
  });

  it('looks again when one will have been idle for long enough', () => {
    const idle = [worker('a'), worker('b', idleFor(1))];
    const plan = planFleet(facts({ autoscale, workers: idle }));
    expect(plan.lookAtMs).toBe(NOW_MS + IDLE_MS - 1);
  });
});

describe('a resize', () => {
  const resize = 'ordered';

  it('starts all that are missing, whatever failed before', () => {
    const more = { resize, size: 4, notBeforeMs: NOW_MS + 1 } as const;
    expect(planned(more)).toEqual(['start resize', 'start resize']);
  });

  it('lets go at once whoever is too many, busy or idle', () => {
    expect(planned({ resize, size: 1 })).toEqual(['retire a resize']);
  });

  it('spares most whoever is of most use', () => {
    const mixed = [
      worker('busy'),
      worker('idle', idleFor(1)),
      worker('longer', idleFor(2)),
      worker('stale', { build: 'stale' }),
      worker('worn', { wear: 'rss' }),
      worker('coming', { state: 'probation', because: 'overflow' }),
    ];
    const shrunk = (size: number) => planned({ resize, size, workers: mixed });
    expect(shrunk(1)).toEqual([
      ...['remove coming resize', 'retire stale resize', 'retire worn resize'],
      ...['retire longer resize', 'retire idle resize'],
    ]);
    expect(shrunk(5)).toEqual(['remove coming resize']);
  });

  it('comes before everything else', () => {
    const more = [worker('a', { wear: 'calls' }), worker('b', { build: 'stale' })];
    expect(planned({ resize, overflow: 2, load: BUSY, workers: more })).toEqual([]);
  });
});
