// Do real processes keep what scripted ones keep? The same plans, with real signals.
import fc from 'fast-check';
import { describe, it } from 'vitest';

import { calmPlans, harshPlans, type Plan } from './model-plan.ts';
import { play, report } from './model-play.ts';
import { realTarget } from './model-real.ts';

/** A play takes about a second. */
const RUNS = Math.max(1, Math.round(Number(process.env['FAULT_RUNS'] ?? 800) / 100));
/** The same plans each time, so that a change is judged by what it changes; `FAULT_SEED` plays others. */
const SEED = Number(process.env['FAULT_SEED'] ?? 21);
const STEPS_MAX = 30;
const TIMEOUT_MS = 600_000;

async function holds(plans: fc.Arbitrary<Plan>): Promise<void> {
  const property = fc.asyncProperty(plans, async (plan) => {
    const played = await play(plan, await realTarget(plan));
    if (played.complaints.length > 0) throw new Error(report(played));
  });
  // What real processes do is not the same twice: a smaller plan that fails too is luck.
  const options = { numRuns: RUNS, endOnFailure: true };
  await fc.assert(property, { ...options, seed: SEED });
}

describe(
  'a pool and what its users are promised, on real processes',
  { timeout: TIMEOUT_MS },
  () => {
    it('fails no call and has all its workers at every moment while they come and go by plan', async () => {
      await holds(calmPlans(STEPS_MAX));
    });

    it('keeps its promises whatever happens to it, and serves again when the faults have ended', async () => {
      await holds(harshPlans(STEPS_MAX));
    });
  },
);
