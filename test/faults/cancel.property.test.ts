// Do the promises about calls hold when they are sent ahead, run side by side, stream and are abandoned at any time? The real machines and router, over a model of Python's loop and virtual time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fateOf, microtasks, request } from '../support/scripted-pool.ts';
import {
  cancellationOf,
  run,
  scenario,
  STREAM_ITEMS,
  type Run,
  type Scenario,
} from './cancel-scenario.ts';
import { RUNS, SEED } from './chosen-plans.ts';

async function check(promise: (run: Run, given: Scenario) => Promise<void> | void): Promise<void> {
  const property = fc.asyncProperty(scenario, async (given) => promise(await run(given), given));
  await fc.assert(property, { numRuns: RUNS, seed: SEED });
}

/** The numbers of the calls whose handlers were begun, in the order in which they were. */
const startedOf = ({ sim, python }: Run): readonly unknown[] =>
  sim.world.processes.flatMap((process) =>
    python.loopOf(process).started.map(({ args }) => args['number']),
  );

// Hundreds of whole lives of a pool: their number costs time on a busy machine, and nothing here waits for real time.
describe('calls that are abandoned at any time', { timeout: 180_000 }, () => {
  it('are settled exactly once, all of them', async () => {
    await check(({ calls, sim }) => {
      for (const { fate, op, settlements } of calls) {
        expect([op, fate.state === 'pending', settlements]).toEqual([op, false, 1]);
      }
      const { counters, gauges } = sim.pool.statistics;
      const { accepted, completed, failed, cancelled } = counters;
      expect(completed + failed + cancelled).toBe(accepted);
      expect(gauges).toMatchObject({ queued: 0, running: 0 });
    });
  });

  it('leave a worker alone with them: it is sent nothing before they are over there', async () => {
    await check(({ sentMeanwhile, sim }) => {
      expect([sentMeanwhile, sim.world.callsToTheDead]).toEqual([[], []]);
    });
  });

  it('were never begun when their callers were told that they were not sent', async () => {
    await check((one) => {
      const started = new Set(startedOf(one));
      for (const { fate, number } of one.calls) {
        if (fate.error?.outcome === 'notSent')
          expect([number, started.has(number)]).toEqual([number, false]);
        if (fate.state === 'resolved') expect(started.has(number)).toBe(true);
      }
    });
  });

  it('had been written when their callers were told that they may have been executed', async () => {
    await check(({ calls, sim }) => {
      const written = new Set(sim.world.callsWritten.map(({ args }) => args['number']));
      for (const { fate, number } of calls) {
        if (fate.error?.outcome === 'maybeExecuted') expect(written.has(number)).toBe(true);
      }
    });
  });

  it('tell by which stage they ended, and no stage that was not needed', async () => {
    await check(({ calls, sim }) => {
      const written = new Set(sim.world.callsWritten.map(({ args }) => args['number']));
      const gentle = ['flag', 'raise', 'interrupt'];
      for (const made of calls) {
        const { code } = made.fate.error ?? {};
        if (code !== 'deadline_exceeded' && code !== 'aborted') continue;
        const stage = cancellationOf(made)?.stage;
        expect(stage).toBeDefined();
        if (stage === 'not_sent') expect(written.has(made.number)).toBe(false);
        if (stage === 'withdrawn') expect(made.fate.error?.outcome).toBe('notSent');
        // Without a byte of it, it was what its worker was told for it that was ended.
        const outcome = written.has(made.number) ? 'maybeExecuted' : 'notSent';
        if (gentle.includes(stage ?? '')) expect(made.fate.error?.outcome).toBe(outcome);
      }
    });
  });

  it('of one session never run side by side, and are written in their order', async () => {
    await check(({ sim, python }) => {
      expect(python.sideBySide).toEqual([]);
      for (const session of ['s0', 's1']) {
        const own = sim.world.callsWritten.filter((call) => call.session === session);
        const numbers = [...new Set(own.map(({ args }) => Number(args['number'])))];
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      }
    });
  });

  it('that stream give a beginning of their items, in order, and all of them when they succeed', async () => {
    await check(({ calls }) => {
      for (const { op, items, fate } of calls) {
        if (op !== 'count') continue;
        expect(items).toEqual(Array.from({ length: items.length }, (_, n) => n));
        if (fate.state === 'resolved' && fate.value === null)
          expect(items).toHaveLength(STREAM_ITEMS);
      }
    });
  });

  it('leave a pool that serves, and nothing behind when it is stopped', async () => {
    await check(async ({ sim }, { size }) => {
      const next = fateOf(sim.pool.call(request('echo')));
      sim.advance(1_000);
      await microtasks();
      expect([next.state, sim.pool.statistics.gauges.idle]).toEqual(['resolved', size]);
      sim.stop();
      await microtasks();
      expect(sim.world.processes.filter((process) => process.isAlive)).toEqual([]);
      expect(sim.clock.pending).toBe(0);
    });
  });

  it('reach what they claim to cover', async () => {
    const seen = new Set<string>();
    await check((one) => {
      for (const fact of one.seen) seen.add(fact);
    });
    expect([...seen]).toEqual(
      expect.arrayContaining([
        ...['deadline_exceeded', 'aborted', 'worker_crashed', 'checkout_timeout', 'streamed'],
        ...['not_sent', 'withdrawn', 'flag', 'raise', 'interrupt', 'kill'],
      ]),
    );
  });
});
