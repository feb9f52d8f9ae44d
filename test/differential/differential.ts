// How are thousands of cases compared, and what becomes of a disagreement? Blocks of cases on both sides at the same time; then fast-check makes small what is left.
import fc from 'fast-check';

import type { Case } from './case.ts';
import { compare, describe } from './compare.ts';
import { wasDisturbed } from './decided.ts';
import type { ErlangRun } from './erlang.ts';
import { FEATURE_MIN, FEATURE_MIN_OF, FEATURES, featuresOf, type Feature } from './features.ts';
import { anyCase } from './generate.ts';
import type { Trace } from './trace.ts';

/** The side that is compared: runs a case and says what was to be seen. */
export type Side = (given: Case) => Promise<Trace>;

/** The side that is right: an Erlang VM. */
export interface Reference {
  run(given: Case): Promise<ErlangRun>;
}

/** Who is compared with whom. */
interface Sides {
  readonly vm: Reference;
  readonly ours: Side;
}

export interface Plan extends Sides {
  readonly cases: number;
  readonly seed: number;
  /** Told now and then. */
  readonly onProgress?: (done: number) => void;
}

interface Found {
  /** Makes the shrunk case again: `--replay`. */
  readonly replay: string;
  /** The case and both traces, for people. */
  readonly text: string;
}

export interface Outcome {
  readonly agreed: number;
  readonly disagreed: number;
  /** Cases that agreed only when the VM had nothing else to do. */
  readonly agreedAlone: number;
  readonly features: ReadonlyMap<Feature, number>;
  /** The first few disagreements, shrunk. */
  readonly found: readonly Found[];
}

const BLOCK = 1_000;
const PROGRESS_EVERY = 100;
const FOUND_MAX = 3;
const SHRINK_LIMIT_MS = 60_000;
/** A run that the VM's own load has delayed past a period is made again, alone. */
const TRIES_MAX = 5;
const SEED_STRIDE = 1_000_003;

interface Place {
  readonly seed: number;
  readonly index: number;
}

export async function differ(plan: Plan): Promise<Outcome> {
  const features = new Map<Feature, number>(FEATURES.map((feature) => [feature, 0]));
  const apart: Place[] = [];
  let agreedAlone = 0;
  let done = 0;
  for (const { place, given, otp } of ahead(started(plan))) {
    const [run, own] = [await otp, await plan.ours(given)];
    for (const feature of featuresOf(given, run.trace)) {
      features.set(feature, (features.get(feature) ?? 0) + 1);
    }
    done += 1;
    if (done % PROGRESS_EVERY === 0) plan.onProgress?.(done);
    if (isAgreed(given, run, own)) continue;
    const alone = await undisturbed(plan.vm, given);
    if (compare(given, alone, own) === undefined) agreedAlone += 1;
    else apart.push(place);
  }
  const found: Found[] = [];
  for (const place of apart.slice(0, FOUND_MAX)) found.push(await shrunk(plan, place));
  const disagreed = apart.length;
  return { agreed: plan.cases - disagreed, disagreed, agreedAlone, features, found };
}

interface Started {
  readonly place: Place;
  readonly given: Case;
  readonly otp: Promise<ErlangRun>;
}

/** All cases, under way on the VM, block by block. A block has a seed of its own, so that any case is found again without those before it. */
function* started({ cases, seed, vm }: Plan): Generator<readonly Started[]> {
  for (let from = 0; from < cases; from += BLOCK) {
    const own = (seed * SEED_STRIDE + from / BLOCK) | 0;
    const block = fc.sample(anyCase, { seed: own, numRuns: Math.min(BLOCK, cases - from) });
    yield block.map((given, index) => ({
      place: { seed: own, index },
      given,
      otp: vm.run(given),
    }));
  }
}

/** One by one, with the next block on its way already: most of a case's time on the VM is waiting. */
function* ahead(blocks: Iterator<readonly Started[]>): Generator<Started> {
  let next = blocks.next();
  while (next.done !== true) {
    const block = next.value;
    next = blocks.next();
    yield* block;
  }
}

function isAgreed(given: Case, otp: ErlangRun, ours: Trace): boolean {
  return !wasDisturbed(given, otp.longestMs) && compare(given, otp.trace, ours) === undefined;
}

/** The case on a VM with nothing else to do. */
async function undisturbed(vm: Reference, given: Case): Promise<Trace> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const { trace, longestMs } = await vm.run(given);
    if (!wasDisturbed(given, longestMs)) return trace;
  }
  throw new Error(
    `this machine is too busy: ${TRIES_MAX} times a case took longer than its period`,
  );
}

/** The smallest case near this one on which the sides still part. */
async function shrunk({ vm, ours }: Sides, { seed, index }: Place): Promise<Found> {
  const result = await fc.check(agreement(vm, ours), {
    seed,
    path: String(index),
    numRuns: 1,
    interruptAfterTimeLimit: SHRINK_LIMIT_MS,
    markInterruptAsFailure: false,
  });
  const [given] =
    result.counterexample ?? fc.sample(anyCase, { seed, path: String(index), numRuns: 1 });
  if (given === undefined) throw new Error('a case was lost');
  return {
    replay: `${seed}:${result.counterexamplePath ?? index}`,
    text: await described(vm, ours, given),
  };
}

function agreement(vm: Reference, ours: Side): fc.IAsyncProperty<[Case]> {
  // Different numbers often name the same case; one that takes its time is not to be run twice.
  const known = new Map<string, boolean>();
  return fc.asyncProperty(anyCase, async (given) => {
    const key = JSON.stringify(given);
    const before = known.get(key);
    if (before !== undefined) return before;
    const [otp, own] = await Promise.all([undisturbed(vm, given), ours(given)]);
    const agrees = compare(given, otp, own) === undefined;
    known.set(key, agrees);
    return agrees;
  });
}

/** Run again the case that {@link Found.replay} names. @returns what was to be seen, and whether the sides agree. */
export async function replay(
  { vm, ours }: Sides,
  text: string,
): Promise<{ readonly agrees: boolean; readonly text: string }> {
  const seed = Number.parseInt(text, 10);
  const path = text.slice(text.indexOf(':') + 1);
  const [given] = fc.sample(anyCase, { seed, path, numRuns: 1 });
  if (given === undefined) throw new Error(`--replay ${text}: there is no such case`);
  const [otp, own] = await Promise.all([undisturbed(vm, given), ours(given)]);
  return {
    agrees: compare(given, otp, own) === undefined,
    text: describe(given, otp, own),
  };
}

async function described(vm: Reference, ours: Side, given: Case): Promise<string> {
  return describe(given, await undisturbed(vm, given), await ours(given));
}

/** Features that this many cases should have shown more often. */
export function rareFeatures({ features }: Outcome, cases: number): Feature[] {
  const min = Math.floor((FEATURE_MIN * cases) / FEATURE_MIN_OF);
  return FEATURES.filter((feature) => (features.get(feature) ?? 0) < min);
}
