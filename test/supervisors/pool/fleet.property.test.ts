// Whatever is ordered and whatever dies, in any order: does a fleet come to what it was told to be, and is every call and every order answered?
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { StartScript } from '../../support/scripted-world.ts';
import { answered, fleet } from './fleet-watch.ts';

/** What happens next. */
type Step =
  | { readonly type: 'call' | 'reload' }
  | { readonly type: 'resize'; readonly size: number }
  | { readonly type: 'kill' | 'reply'; readonly which: number }
  | { readonly type: 'pass'; readonly ms: number }
  /** What becomes of the next planned start. */
  | { readonly type: 'starts'; readonly as: StartScript['type'] };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ type: 'call' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ type: 'reload' }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('resize'), size: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('kill'), which: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('reply'), which: fc.nat(9) }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('pass'), ms: fc.integer({ min: 0, max: 3_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('starts'),
      as: fc.constantFrom('ready', 'import_fails', 'hangs', 'exits_before_hello'),
    }),
  },
);

const OPTIONS = {
  ...{ size: 2, overflow: 1, idleTimeoutMs: 1_000, drainMs: 2_000, shutdownMs: 100 },
  ...{ maxCallsPerWorker: 4, startTimeoutMs: 2_000, breaker: false as const },
  // What is killed here is no loop.
  ...{ maxRestarts: 1_000, maxConsecutiveStartFailures: 1_000, queueLengthMax: 1_000 },
};

describe('a fleet', () => {
  it('comes to its size, answers every order and every call, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const scripts: StartScript['type'][] = [];
        const sim = fleet(OPTIONS, {
          nextStart: () => {
            const type = scripts.shift() ?? 'ready';
            return type === 'exits_before_hello' ? { type, status: 3 } : { type };
          },
        });
        const orders: ReturnType<typeof answered>['answers'][] = [];
        const calls = [];
        for (const one of steps) {
          const alive = sim.world.processes.filter(({ isAlive }) => isAlive);
          switch (one.type) {
            case 'call':
              calls.push(sim.hang());
              break;
            case 'reload':
              orders.push(sim.reload(20_000));
              break;
            case 'resize': {
              const { done, answers } = answered();
              orders.push(answers);
              sim.pool.resize(one.size, done, 20_000);
              break;
            }
            case 'kill':
              alive[one.which % alive.length]?.exit(1, null);
              break;
            case 'reply': {
              const busy = alive.filter(({ calls: had }) => had.length > 0);
              const process = busy[one.which % busy.length];
              process?.reply(process.calls.at(-1)!.id, 'done');
              break;
            }
            case 'starts':
              scripts.push(one.as);
              break;
            case 'pass':
              sim.advance(one.ms);
              break;
            default:
              one satisfies never;
          }
          sim.settle();
          const { accepted, completed, failed, cancelled } = sim.counters();
          const { queued, running } = sim.gauges();
          expect(completed + failed + cancelled + queued + running).toBe(accepted);
        }
        scripts.length = 0;
        // All that hang are replied to, round after round, until nothing waits.
        for (let round = 0; round < 80; round += 1) {
          for (const process of sim.world.processes) {
            for (const { id } of process.calls) if (process.isAlive) process.reply(id, 'done');
          }
          await sim.pass(1_000);
        }
        expect(orders.map(({ length }) => length)).toEqual(orders.map(() => 1));
        expect(calls.filter(({ state }) => state === 'pending')).toEqual([]);
        expect(sim.gauges()).toMatchObject({ idle: sim.pool.size, starting: 0, retiring: 0 });
        expect(sim.living()).toBe(sim.pool.size);
        expect(sim.ids()).toHaveLength(sim.pool.size);
        expect(sim.pool.statistics.state).toBe('serving');
        expect(sim.world.callsToTheDead).toEqual([]);
        sim.stop();
        expect([sim.living(), sim.clock.pending]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it('never has fewer workers ready than its size while nobody dies, whatever is ordered', () => {
    fc.assert(
      fc.property(
        fc.array(
          step.filter(({ type }) => type !== 'kill' && type !== 'starts' && type !== 'resize'),
          { minLength: 1, maxLength: 30 },
        ),
        (steps) => {
          const sim = fleet(OPTIONS);
          sim.ready.fewest = Infinity;
          for (const one of steps) {
            if (one.type === 'call') sim.hang();
            if (one.type === 'reload') sim.reload();
            if (one.type === 'pass') sim.advance(one.ms);
            if (one.type === 'reply') {
              for (const process of sim.world.processes) {
                const last = process.calls.at(-1);
                if (process.isAlive && last !== undefined) process.reply(last.id, 'done');
              }
            }
            sim.settle();
          }
          expect(sim.ready.fewest).toBeGreaterThanOrEqual(2);
          sim.stop();
        },
      ),
      { numRuns: 100 },
    );
  }, 120_000);
});
