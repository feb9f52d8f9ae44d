// Does a whole pool keep its promises, whatever its users and the world do to it? Random plans against a model that knows only what users are promised, under virtual time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { calmPlans, harshPlans, type Plan } from './model-plan.ts';
import { play, report } from './model-play.ts';
import { scriptedTarget } from './model-scripted.ts';

const RUNS = Number(process.env['FAULT_RUNS'] ?? 800);
/** The same plans each time, so that a change is judged by what it changes; `FAULT_SEED` plays others. */
const SEED = Number(process.env['FAULT_SEED'] ?? 21);
const STEPS_MAX = 40;

async function holds(plans: fc.Arbitrary<Plan>, numRuns: number): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const property = fc.asyncProperty(plans, async (plan) => {
    const played = await play(plan, scriptedTarget(plan));
    for (const fact of played.seen) seen.add(fact);
    if (played.complaints.length > 0) throw new Error(report(played));
  });
  await fc.assert(property, { numRuns, seed: SEED });
  return seen;
}

/** Fewer plans than this may miss something. */
const REACHES_ALL = 400;

function reaches(seen: ReadonlySet<string>, facts: readonly string[]): void {
  if (RUNS >= REACHES_ALL) expect([...seen]).toEqual(expect.arrayContaining([...facts]));
}

// Hundreds of whole lives of a pool: their number costs time on a busy machine, and nothing here waits for real time.
describe('a pool and what its users are promised, under virtual time', { timeout: 600_000 }, () => {
  it('fails no call and has all its workers at every moment while they come and go by plan', async () => {
    const seen = await holds(calmPlans(STEPS_MAX), Math.ceil(RUNS / 2));
    reaches(seen, [
      ...['call completed', 'stream completed', 'held completed', 'checkout completed'],
      ...['reload done', 'resize done', 'resized by autoscale', 'session moved', 'replayed'],
      ...['worker for overflow', 'worker for reload', 'worker for calls', 'recycled', 'batches'],
    ]);
  });

  it('keeps its promises whatever happens to it, and serves again when the faults have ended', async () => {
    const seen = await holds(harshPlans(STEPS_MAX), RUNS);
    reaches(seen, [
      ...['aborted', 'checkout_timeout', 'deadline_exceeded', 'overloaded', 'pool_failed'].map(
        (code) => `call ${code}`,
      ),
      ...['pool_stopped', 'session_lost', 'worker_crashed', 'circuit_open', 'completed'].map(
        (code) => `call ${code}`,
      ),
      ...['flag', 'raise', 'drain', 'kill'].map((stage) => `cancelled by ${stage}`),
      ...['kill busy', 'kill ready', 'freeze busy', 'freeze ready', 'frozen found'],
      ...['checkout checkout_ended', 'given back twice', 'held aborted', 'reclaimed'],
      ...['stream completed', 'stream left', 'end_session done', 'drain done', 'start done'],
      ...['reload done', 'reload reload_failed', 'resize done', 'resize reload_failed'],
      ...['give_up', 'replace', 'restart', 'retried', 'replayed', 'rebuilt', 'lost', 'batches'],
      ...['breaker open', 'breaker half_open', 'breaker closed'],
    ]);
  });
});
