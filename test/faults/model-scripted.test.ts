// Does a whole pool keep its promises, whatever its users and the world do to it? Random plans against a model that knows only what users are promised, under virtual time.
import fc from 'fast-check';
import { describe, it } from 'vitest';

import { calmPlans, harshPlans, type Plan } from './model-plan.ts';
import { play, report } from './model-play.ts';
import { scriptedTarget } from './model-scripted.ts';

const RUNS = Number(process.env['FAULT_RUNS'] ?? 400);
const SEED = process.env['FAULT_SEED'];
const STEPS_MAX = 40;

async function holds(plans: fc.Arbitrary<Plan>, numRuns: number): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const property = fc.asyncProperty(plans, async (plan) => {
    const played = await play(plan, scriptedTarget(plan));
    for (const fact of played.seen) seen.add(fact);
    if (played.complaints.length > 0) throw new Error(report(played));
  });
  await fc.assert(property, { numRuns, ...(SEED !== undefined && { seed: Number(SEED) }) });
  return seen;
}

// Hundreds of whole lives of a pool: their number costs time on a busy machine, and nothing here waits for real time.
describe('a pool and what its users are promised, under virtual time', { timeout: 600_000 }, () => {
  it('fails no call and has all its workers at every moment while they come and go by plan', async () => {
    const seen = await holds(calmPlans(STEPS_MAX), RUNS / 2);
    console.log([...seen].sort().join('\n'));
  });

  it('keeps its promises whatever happens to it, and serves again when the faults have ended', async () => {
    const seen = await holds(harshPlans(STEPS_MAX), RUNS);
    console.log([...seen].sort().join('\n'));
  });
});
