// Who takes whose place, and when? The plan of replacements, fact by fact.
import { describe, expect, it } from 'vitest';

import { planFleet, type FleetWorker } from '../../../supervisors/pool/fleet-plan.ts';
import { BUSY, facts, IDLE_MS, idleFor, NOW_MS, planned, worker } from './fleet-facts.ts';

describe('a replacement', () => {
  const worn = (more: Partial<FleetWorker> = {}) => worker('a', { wear: 'age', ...more });
  const next = (more: Partial<FleetWorker> = {}) =>
    worker('c', { state: 'probation', because: 'age', replaces: 'a', ...more });

  it.each(['calls', 'age', 'rss'] as const)('is started for one whose %s is reached', (wear) => {
    expect(planned({ workers: [worker('a', { wear }), worker('b')] })).toEqual([
      `start ${wear} for a`,
    ]);
  });

  it('is started for one that is stale, before one that is worn', () => {
    const both = [worn(), worker('b', { build: 'stale' })];
    expect(planned({ workers: both })).toEqual(['start reload for b']);
  });

  it('leaves the old one in its place until it is ready', () => {
    expect(planned({ workers: [worn(), worker('b'), next()] })).toEqual([]);
  });

  it('takes its place then', () => {
    const ready = next({ state: 'ready' });
    expect(planned({ workers: [worn(), worker('b'), ready] })).toEqual(['retire a age']);
  });

  it('takes the place of one that has died meanwhile, of which nothing is to be finished', () => {
    const died = worn({ state: 'restarting', wear: undefined });
    const ready = next({ state: 'ready' });
    expect(planned({ workers: [died, worker('b'), ready] })).toEqual(['remove a age']);
  });

  it('becomes one of the fleet when there is nobody left to replace', () => {
    expect(planned({ workers: [worker('b'), next()] })).toEqual([]);
  });

  it('holds up nobody else’s once there is nobody left to replace, nor when it has taken a place', () => {
    const worn = worker('b', { wear: 'calls' });
    expect(planned({ workers: [worn, next({ replaces: undefined })] })).toEqual([
      ...['start calls for b'],
    ]);
    const settled = next({ state: 'ready', replaces: undefined });
    expect(planned({ workers: [worn, settled] })).toEqual(['start calls for b']);
  });

  it('is counted with its old one as one worker, before it is ready and after', () => {
    const spare = { overflow: 1, load: { ...BUSY, queued: 9 } };
    for (const state of ['probation', 'ready'] as const) {
      const pair = { ...spare, workers: [worn(), worker('b'), next({ state })] };
      expect(planFleet(facts(pair)).room).toBe(1);
      expect(planned(pair)).toContain('start overflow');
    }
  });

  it('is no further worker on its way for the calls that wait, nor is the old one', () => {
    const waiting = { overflow: 1, load: { ...BUSY, queued: 1 } };
    const coming = { ...waiting, workers: [worn(), worker('b'), next()] };
    expect(planned(coming)).toEqual(['start overflow']);
    const died = worn({ state: 'restarting', wear: undefined });
    const come = { ...waiting, workers: [died, worker('b'), next({ state: 'ready' })] };
    expect(planned(come)).toEqual(['remove a age', 'start overflow']);
  });

  it('leaves nobody idle to spare when its old one was idle', () => {
    const pair = [worn(idleFor(IDLE_MS)), worker('b'), next({ state: 'ready' })];
    expect(planned({ workers: pair })).toEqual(['retire a age']);
  });

  it('is one at a time: until the old one has ended', () => {
    const both = [worn(), worker('b', { wear: 'calls' })];
    for (const state of ['retiring', 'stopping'] as const) {
      for (const because of ['age', 'reload', 'calls', 'rss'] as const) {
        const going = worker('z', { state, because });
        expect(planned({ workers: [...both, going] })).toEqual([]);
      }
    }
  });

  it('does not wait for those that go for another reason', () => {
    const going = worker('z', { state: 'retiring', because: 'idle' });
    expect(planned({ workers: [worn(), worker('b'), going] })).toEqual(['start age for a']);
  });

  it('of a worn one waits after one did not start; a reload does not', () => {
    const notBeforeMs = NOW_MS + 1;
    expect(planned({ notBeforeMs, workers: [worn(), worker('b')] })).toEqual([]);
    const now = { notBeforeMs: NOW_MS, workers: [worn(), worker('b')] };
    expect(planned(now)).toEqual(['start age for a']);
    const stale = [worker('a', { build: 'stale' }), worker('b')];
    expect(planned({ notBeforeMs, workers: stale })).toEqual(['start reload for a']);
  });

  it('is not started for one that is not ready', () => {
    const restarting = [worker('a', { state: 'restarting', build: 'stale' }), worker('b')];
    expect(planned({ workers: restarting })).toEqual([]);
  });

  it('is looked for again when the next one will be old enough', () => {
    const aging = [worker('a', { agedAtMs: NOW_MS + 7 }), worker('b', { agedAtMs: NOW_MS + 9 })];
    expect(planFleet(facts({ workers: aging })).lookAtMs).toBe(NOW_MS + 7);
  });
});
