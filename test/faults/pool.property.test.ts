// Do the promises of a pool hold whatever happens to its workers, in whatever order it is heard of? The real machines, supervisor and router, over scripted workers and virtual time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fateOf, microtasks, request } from '../support/scripted-pool.ts';
import { RUNS, SEED } from './chosen-plans.ts';
import { NO_SESSION, run, scenario, type Run, type Scenario } from './pool-scenario.ts';

const PERIOD_MS = 5_000;

function check(promise: (run: Run, given: Scenario) => Promise<void> | void): Promise<void> {
  const property = fc.asyncProperty(scenario, async (given) => {
    const one = await run(given);
    await promise(one, given);
  });
  return Promise.resolve(fc.assert(property, { numRuns: RUNS, seed: SEED }));
}

// Hundreds of whole lives of a pool: their number costs time on a busy machine, and nothing here waits for real time.
describe('a pool under faults', { timeout: 180_000 }, () => {
  it('settles every call exactly once, within its deadline', async () => {
    await check(({ calls, sim }) => {
      for (const call of calls) {
        expect(call.fate.state, call.op).not.toBe('pending');
        expect(call.settlements).toBe(1);
      }
      const { counters, gauges } = sim.pool.statistics;
      const { accepted, completed, failed, cancelled } = counters;
      for (const id of ['s0', 's1', 's2']) expect(sim.pool.endSession(id)).toBe(true);
      expect(completed + failed + cancelled).toBe(accepted);
      expect(gauges).toMatchObject({ queued: 0, running: 0 });
    });
  });

  it('writes no call to an incarnation of which it has heard the end', async () => {
    await check(({ sim }) => {
      expect(sim.world.callsToTheDead).toEqual([]);
    });
  });

  it('never restarts more often than the window allows', async () => {
    await check(({ restartsAtMs }, { maxRestarts }) => {
      for (const atMs of restartsAtMs) {
        const inWindow = restartsAtMs.filter((t) => t <= atMs && atMs - t <= PERIOD_MS);
        expect(inWindow.length).toBeLessThanOrEqual(maxRestarts);
      }
    });
  });

  it('gives up only when it must, and serves again once the faults have ended and its time is over', async () => {
    await check(async (one, { maxRestarts, size }) => {
      const { sim, gaveUp, restartsAtMs, startFailures, wasStopped } = one;
      if (wasStopped) return;
      const { state } = sim.pool.statistics;
      const call = fateOf(sim.pool.call(request('echo')));
      sim.advance(1_000);
      await microtasks();
      if (state === 'failed') {
        expect(call.error?.code).toBe('pool_failed');
        expect(gaveUp).not.toEqual([]);
      } else {
        expect(call.state).toBe('resolved');
        expect(sim.pool.statistics.gauges.idle).toBe(size);
      }
      for (const { atMs, because } of gaveUp) {
        const inWindow = restartsAtMs.filter((t) => t <= atMs && atMs - t <= PERIOD_MS);
        if (because === 'reached_max_restart_intensity') expect(inWindow.length).toBe(maxRestarts);
        else expect(startFailures).toBeGreaterThanOrEqual(because === 'not_retryable' ? 1 : 3);
      }
    });
  });

  it('remembers every acknowledged program, on whatever incarnation its scope goes on', async () => {
    await check(({ calls, deletedIds }) => {
      for (const { op, session, id, fate } of calls) {
        // Without a session nothing is ordered: a deletion that was asked for later may have come first.
        if (session === NO_SESSION && id !== undefined && deletedIds.has(id)) continue;
        if (op === 'use') expect(fate.error?.code).not.toBe('program_not_found');
        expect(fate.error?.code, op).not.toBe('replay_failed');
      }
    });
  });

  it('knows no program any more whose deletion was acknowledged', async () => {
    await check(({ calls }) => {
      for (const { op, fate } of calls) {
        if (op === 'use_deleted') expect(fate.state).toBe('rejected');
      }
    });
  });

  it('runs every call under the configuration that was acknowledged last, or a later one', async () => {
    await check(({ calls, configured }) => {
      for (const { op, fate, configuredBefore } of calls) {
        if (fate.state !== 'resolved' || configuredBefore < 0 || op === 'configure') continue;
        const { configuration } = fate.value as { readonly configuration: string | null };
        const place = configured.indexOf(Number(configuration ?? -1));
        expect(place).toBeGreaterThanOrEqual(configuredBefore);
      }
    });
  });

  it('writes the calls of a session in the order in which they were made', async () => {
    await check(({ sim }) => {
      for (const session of ['s0', 's1', 's2']) {
        const own = sim.world.callsWritten.filter((call) => call.session === session);
        // What is replayed was written before.
        const written = [...new Set(own.map(({ args }) => Number(args['number'])))];
        expect(written).toEqual([...written].sort((a, b) => a - b));
      }
    });
  });

  it('says notSent of exactly those failed calls that were never written', async () => {
    await check(({ calls, sim }) => {
      const written = new Set(sim.world.callsWritten.map((call) => call.args['number']));
      for (const { number, fate } of calls) {
        if (fate.state !== 'rejected') continue;
        expect(fate.error?.outcome).toBe(written.has(number) ? 'maybeExecuted' : 'notSent');
      }
    });
  });

  it('leaves no process, no timer and no waiting call behind when it is stopped', async () => {
    await check(async ({ sim }) => {
      const late = fateOf(sim.pool.call(request('hang')));
      sim.stop();
      await microtasks();
      expect(late.state).toBe('rejected');
      expect(sim.exitReason()?.type).toBe('shutdown');
      expect(sim.world.processes.filter((process) => process.isAlive)).toEqual([]);
      expect(sim.clock.pending).toBe(0);
    });
  });

  it('reaches what it claims to cover', async () => {
    const seen = new Set<string>();
    await check((one) => {
      for (const fact of one.seen) seen.add(fact);
    });
    expect([...seen]).toEqual(
      expect.arrayContaining([
        'restart',
        'give_up',
        'replace',
        'replayed',
        'worker_crashed',
        'deadline_exceeded',
        'checkout_timeout',
        'pool_failed',
        'aborted',
        'runtime_stopped',
      ]),
    );
  });
});
