// What does a fleet order of its tree and of its router, in the cases that a calm tree never comes to?
import { describe, expect, it } from 'vitest';

import { Bus } from '../../../actors/ground/bus.ts';
import type { Worker } from '../../../actors/worker/worker-types.ts';
import { FleetCrew } from '../../../supervisors/pool/fleet-crew.ts';
import { FleetRequests } from '../../../supervisors/pool/fleet-requests.ts';
import { Fleet } from '../../../supervisors/pool/fleet.ts';
import type { FleetRouter, FleetTree } from '../../../supervisors/pool/fleet-types.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

function crewOf(size = 1) {
  const clock = new VirtualClock();
  const bus = new Bus();
  const log: string[] = [];
  const begun: ((error?: Error) => void)[] = [];
  const retired: (() => void)[] = [];
  let left: 'stopping' | 'gone' = 'stopping';
  const tree: FleetTree = {
    state: 'up',
    startWorker: (id, done) => {
      log.push(`start ${id}`);
      begun.push(done);
    },
    adopt: (id) => log.push(`adopt ${id}`),
    removeWorker: (id, how) => {
      log.push(`remove ${id} ${how}`);
      return left;
    },
    replaceWorker: (id) => log.push(`replace ${id}`),
  };
  const router: FleetRouter = {
    load: () => ({ queued: 0, oldestWaitMs: 0, idle: 0, busy: 0 }),
    retire: (_worker, _order, done) => retired.push(done),
    isSpare: () => true,
    startFailed: () => log.push('start failed'),
  };
  const requests = new FleetRequests('p', clock, () => undefined);
  const crew = new FleetCrew(size, {
    ...{ pool: 'p', drainMs: 1_000, requests, tree },
    ports: { clock, bus, random: { next: () => 0.5 } },
    router,
    changed: () => undefined,
  });
  const leave = (how: 'stopping' | 'gone') => {
    left = how;
  };
  return {
    clock,
    bus,
    tree,
    router,
    crew,
    log,
    begun,
    retired,
    leave,
    ids: () => [...crew.rows.keys()],
  };
}

describe('a start that is ordered', () => {
  it('and called off before its supervisor has come to it is ended when it has begun', () => {
    const { crew, log, begun, leave, ids } = crewOf();
    crew.carryOut({ type: 'start', because: 'overflow' });
    leave('gone');
    crew.carryOut({ type: 'remove', id: '0', because: 'idle' });
    const before = [...log];
    begun[0]!();
    expect(before).toEqual(['start 0', 'remove 0 in_time']);
    expect([log.at(-1), log.length, ids()]).toEqual(['remove 0 in_time', 3, []]);
  });

  it('and could not be begun is a start that failed', () => {
    const { crew, begun, ids } = crewOf();
    crew.carryOut({ type: 'start', because: 'overflow' });
    begun[0]!(new Error('no process'));
    expect([ids(), crew.statistics().startsFailed]).toEqual([[], 1]);
  });

  it('and called off, and then not begun either, is no failure', () => {
    const { crew, begun, leave } = crewOf();
    crew.carryOut({ type: 'start', because: 'overflow' });
    leave('gone');
    crew.carryOut({ type: 'remove', id: '0', because: 'idle' });
    begun[0]!(new Error('no process'));
    expect(crew.statistics().startsFailed).toBe(0);
  });
});

describe('a worker that is retired', () => {
  const worker = { workerId: 'p/0', epoch: 1 } as Worker;

  it('is stopped when its router says so, once, however often that says it', () => {
    const { crew, log, retired } = crewOf();
    crew.muster();
    Object.assign(crew.rows.get('0')!, { state: 'ready', worker });
    crew.carryOut({ type: 'retire', id: '0', because: 'reload' });
    const before = [...log];
    retired[0]!();
    retired[0]!();
    expect([before, log]).toEqual([[], ['remove 0 in_time']]);
  });

  it('and gone before its router says so is not stopped', () => {
    const { crew, log, retired } = crewOf();
    crew.muster();
    const row = crew.rows.get('0')!;
    Object.assign(row, { state: 'ready', worker });
    crew.carryOut({ type: 'retire', id: '0', because: 'reload' });
    crew.forget(row);
    retired[0]!();
    expect(log).toEqual([]);
  });
});

describe('orders for a worker that is not there', () => {
  it('are nobody’s', () => {
    const { crew, log } = crewOf();
    crew.carryOut({ type: 'retire', id: '7', because: 'idle' });
    crew.carryOut({ type: 'remove', id: '7', because: 'idle' });
    expect(log).toEqual([]);
  });
});

describe('a worker in which a call has left nobody knows what', () => {
  const workerOf = (id: string) =>
    ({ id, workerId: `p/${id}`, epoch: 1, state: 'ready' }) as Worker;

  it('is replaced by its next incarnation', () => {
    const { fleet, log } = running();
    fleet.replace(workerOf('0'), 1, 'deadline');
    expect(log).toEqual(['replace 0']);
  });

  it('is killed at once where it was to go anyway, whatever time it had', () => {
    const { fleet, clock, log, old } = running();
    fleet.reload(1_000, () => undefined);
    clock.poll();
    fleet.workerReady(workerOf('1'));
    clock.poll();
    fleet.replace(old, 1, 'deadline');
    expect(log).toEqual(['start 1', 'adopt 1', 'remove 0 at_once']);
  });

  it('is left alone when that incarnation is over', () => {
    const { fleet, clock, log, old } = running();
    fleet.reload(1_000, () => undefined);
    clock.poll();
    fleet.workerReady(workerOf('1'));
    clock.poll();
    fleet.replace(old, 7, 'deadline');
    expect(log).toEqual(['start 1', 'adopt 1']);
  });

  function running() {
    const { clock, bus, tree, router, log } = crewOf();
    const ports = { clock, bus, random: { next: () => 0.5 } };
    const fleet = new Fleet('p', { size: 1 }, ports, { tree, router });
    const old = workerOf('0');
    fleet.begin();
    fleet.workerReady(old);
    clock.poll();
    return { fleet, clock, log, old };
  }
});
