// Of what does chance make a case? Shapes and numbers without names, so that fast-check can take any part away and what is left is still a case.
import fc, { type Arbitrary } from 'fast-check';

import type { AutoShutdown, Ending, Manner, Outcome, Restart, Strategy } from './case.ts';

/** `pick`s are any natural numbers: each stands for the one of a list that it is modulo its length. */
type Pick = number;

export interface RawWorker {
  readonly kind: 'worker';
  readonly restart: Restart;
  readonly significant: boolean;
  /** Leave an invalid combination with `significant` as it is. */
  readonly isAsGiven: boolean;
  readonly manner: Manner;
  readonly shutdown: Pick;
  readonly starts: readonly Outcome[];
}

export interface RawSupervisor {
  readonly kind: 'supervisor';
  readonly restart: Restart;
  readonly significant: boolean;
  readonly shutdown: Pick;
  readonly strategy: Strategy;
  readonly intensity: number;
  readonly periodS: number;
  readonly autoShutdown: AutoShutdown;
  readonly children: readonly RawChild[];
  /** How many children of a `simple_one_for_one` are started at first. */
  readonly dynamic: number;
}

export type RawChild = RawWorker | RawSupervisor;

export type RawCall =
  | { readonly type: 'start_child'; readonly id: Pick; readonly plan: RawChild }
  | {
      readonly type: 'terminate' | 'restart' | 'delete' | 'get_spec';
      readonly child: Pick;
      /** By its pid, where an id would do, and the other way round. */
      readonly isOtherWay: boolean;
    }
  | { readonly type: 'which' | 'count' };

export type RawItem =
  | { readonly type: 'exit'; readonly child: Pick; readonly how: Ending }
  | { readonly type: 'call'; readonly call: RawCall };

export type RawStep =
  | { readonly type: 'exit'; readonly worker: Pick; readonly how: Ending }
  /** A crash of a worker whose next starts are not all good. */
  | { readonly type: 'trouble'; readonly worker: Pick; readonly outcomes: readonly Outcome[] }
  /** A crash of a worker, and trouble in the restart of another child of its supervisor. */
  | {
      readonly type: 'other_trouble';
      readonly worker: Pick;
      readonly other: Pick;
      readonly outcomes: readonly Outcome[];
    }
  /** A crash, a failed restart, and calls that come before the next try. */
  | {
      readonly type: 'during_restart';
      readonly worker: Pick;
      readonly failures: number;
      readonly calls: readonly RawCall[];
    }
  | { readonly type: 'call'; readonly supervisor: Pick; readonly call: RawCall }
  | { readonly type: 'together'; readonly supervisor: Pick; readonly items: readonly RawItem[] }
  /** Crashes up to the intensity, a long wait, and once more. */
  | { readonly type: 'expiry'; readonly worker: Pick; readonly more: number }
  | { readonly type: 'wait'; readonly ms: number };

export interface RawCase {
  readonly root: RawSupervisor;
  readonly steps: readonly RawStep[];
  readonly stop: 'normal' | 'shutdown' | 'crash';
}

const DEPTH_MAX = 3;
const CHILDREN_MAX = 4;
const STEPS_MAX = 8;

function weighted<T>(...choices: readonly (readonly [weight: number, value: T])[]): Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));
}

const pick: Arbitrary<Pick> = fc.nat({ max: 1_000 });
const restart = weighted<Restart>([5, 'permanent'], [4, 'transient'], [2, 'temporary']);
const ending = weighted<Ending>(
  [6, 'crash'],
  [3, 'normal'],
  [2, 'killed'],
  [1, 'shutdown'],
  [1, 'detail'],
);
const failures = fc.array(weighted<Outcome>([6, 'error'], [1, 'ok'], [1, 'ignore']), {
  minLength: 1,
  maxLength: 4,
});

const worker: Arbitrary<RawWorker> = fc.record({
  kind: fc.constant('worker'),
  restart,
  significant: fc.boolean(),
  isAsGiven: weighted([100, false], [1, true]),
  manner: weighted<Manner>(
    [6, 'plain'],
    [3, 'obeys'],
    [3, 'ignores'],
    [1, 'normal'],
    [1, 'detail'],
    [1, 'crash'],
  ),
  shutdown: pick,
  // The first start is nearly always a good one: where it is not, there is no tree.
  starts: fc
    .tuple(
      weighted<Outcome>([100, 'ok'], [3, 'ignore'], [2, 'error']),
      fc.array(weighted<Outcome>([3, 'ok'], [1, 'error'], [1, 'ignore']), { maxLength: 3 }),
    )
    .map(([first, later]) => (later.length === 0 && first === 'ok' ? [] : [first, ...later])),
});

function supervisor(depth: number): Arbitrary<RawSupervisor> {
  const child: Arbitrary<RawChild> =
    depth === 1
      ? worker
      : fc.oneof(
          { withCrossShrink: true },
          { weight: 3, arbitrary: worker },
          { weight: 2, arbitrary: supervisor(depth - 1) },
        );
  return fc.record({
    kind: fc.constant('supervisor'),
    restart,
    significant: fc.boolean(),
    shutdown: pick,
    strategy: weighted<Strategy>(
      [3, 'one_for_one'],
      [3, 'one_for_all'],
      [3, 'rest_for_one'],
      [2, 'simple_one_for_one'],
    ),
    // A root that gives up at once leaves nothing for the steps that follow.
    intensity:
      depth === DEPTH_MAX
        ? weighted([1, 0], [2, 1], [4, 3], [4, 6])
        : weighted([2, 0], [4, 1], [4, 2], [3, 3], [1, 6]),
    periodS: weighted([3, 5], [1, 3_600]),
    autoShutdown: weighted<AutoShutdown>(
      [2, 'never'],
      [1, 'any_significant'],
      [1, 'all_significant'],
    ),
    children: fc.array(child, { minLength: depth === DEPTH_MAX ? 1 : 0, maxLength: CHILDREN_MAX }),
    dynamic: fc.nat({ max: 3 }),
  });
}

const call: Arbitrary<RawCall> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('start_child'),
      id: pick,
      plan: fc.oneof({ weight: 5, arbitrary: worker }, { weight: 1, arbitrary: supervisor(1) }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: weighted<'terminate' | 'restart' | 'delete' | 'get_spec'>(
        [4, 'terminate'],
        [3, 'restart'],
        [2, 'delete'],
        [1, 'get_spec'],
      ),
      child: pick,
      isOtherWay: weighted([12, false], [1, true]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: weighted<'which' | 'count'>([1, 'which'], [1, 'count']) }),
  },
);

const item: Arbitrary<RawItem> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('exit'), child: pick, how: ending }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('call'), call }) },
);

const step: Arbitrary<RawStep> = fc.oneof(
  // A step of any kind may become the first kind when it is made smaller.
  { withCrossShrink: true },
  { weight: 10, arbitrary: fc.record({ type: fc.constant('exit'), worker: pick, how: ending }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('trouble'), worker: pick, outcomes: failures }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('other_trouble'),
      worker: pick,
      other: pick,
      outcomes: failures,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('during_restart'),
      worker: pick,
      failures: fc.integer({ min: 1, max: 3 }),
      calls: fc.array(call, { maxLength: 3 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('call'), supervisor: pick, call }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('together'),
      supervisor: pick,
      items: fc.array(item, { minLength: 2, maxLength: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('expiry'),
      worker: pick,
      more: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('wait'), ms: fc.integer({ min: 1, max: 60 }) }),
  },
);

/** Any case, without names. Steps are made fewer before the tree is made smaller: with them go the waits. */
export const rawCase: Arbitrary<RawCase> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: STEPS_MAX }),
  root: supervisor(DEPTH_MAX),
  stop: weighted<RawCase['stop']>([3, 'shutdown'], [1, 'normal'], [1, 'crash']),
});
