// What can a user and an unkind world do to a pool? Plans as plain data, so that every part of them shrinks; the same plan runs under virtual time and on real processes.
import fc from 'fast-check';

/**
 * `look` and `flaky` are declared idempotent; `make`, `add`, `drop` and `setup` change state; `embed` travels in batches; `flaky` raises what may pass until it was tried often enough;
 * `stubborn` ends with its process only; `exit` ends it.
 */
export type CallOp = (typeof CALM_OPS)[number] | (typeof HARSH_OPS)[number];

const CALM_OPS = ['echo', 'look', 'make', 'add', 'drop', 'setup', 'embed'] as const;
const HARSH_OPS = ['raise', 'flaky', 'exit', 'stubborn'] as const;

/** Named times: each runner has its own ms for them. */
export type Pace = 'quick' | 'slow';
export type Patience = 'ample' | 'tight';

interface CallStep {
  readonly type: 'call';
  readonly op: CallOp;
  /** {@link NO_SESSION}: the anonymous scope. */
  readonly session: number;
  readonly pace: Pace;
  readonly time: Patience;
  /** For finding a worker; `none`: now or not at all. */
  readonly checkout: Patience | 'none';
  /** Undefined: as the pool says. */
  readonly maxRetries: number | undefined;
}

export type Step =
  | CallStep
  /** Calls of `embed` without a session, all at once. */
  | { readonly type: 'batch'; readonly count: number; readonly pace: Pace }
  /** `read`: items that are read before the stream is left; more than there are: to its end. */
  | {
      readonly type: 'stream';
      readonly session: number;
      readonly upTo: number;
      readonly read: number;
    }
  | { readonly type: 'checkout'; readonly session: number; readonly time: Patience }
  /** In the last checkout but so many. */
  | {
      readonly type: 'held';
      readonly checkout: number;
      readonly op: CallOp;
      readonly pace: Pace;
    }
  | { readonly type: 'check_in'; readonly checkout: number; readonly times: 1 | 2 }
  /** The last call but so many. */
  | { readonly type: 'abort'; readonly call: number }
  | {
      readonly type: 'kill' | 'freeze';
      readonly whose: 'idle' | 'busy' | 'any';
      readonly worker: number;
    }
  /** The next starts fail. */
  | { readonly type: 'bad_starts'; readonly count: number }
  | { readonly type: 'resize'; readonly size: number }
  | { readonly type: 'reload' }
  | { readonly type: 'end_session'; readonly session: number }
  | { readonly type: 'drain'; readonly time: Patience }
  | { readonly type: 'start' }
  | { readonly type: 'deliver'; readonly facts: number }
  /** `blink`, `moment` and `while`: shorter than a slow call, longer than it, longer than anything but ample. */
  | { readonly type: 'time'; readonly span: 'blink' | 'moment' | 'while' };

export interface PlanOptions {
  readonly size: number;
  readonly overflow: number;
  readonly autoscale: 'on' | 'off';
  readonly concurrency: number;
  readonly prefetch: number;
  readonly affinity: 'none' | 'preferred' | 'required';
  readonly onSessionLoss: 'rebuild' | 'fail';
  readonly state: 'journals' | 'snapshots';
  readonly queueLengthMax: number;
  readonly maxRetries: number;
  readonly maxCallsPerWorker: number | undefined;
  readonly drain: Patience;
  readonly maxRestarts: number;
  readonly breaker: 'on' | 'off';
}

export interface Plan {
  /** `calm`: whatever comes and goes is planned, so no call may fail. */
  readonly kind: 'calm' | 'harsh';
  readonly options: PlanOptions;
  readonly steps: readonly Step[];
  /** Which channel of facts is next; beyond the end the first. Real processes choose by themselves. */
  readonly schedule: readonly number[];
}

export const NO_SESSION = 3;
const SIZE_MAX = 4;
const LAST = 5;

const session = fc.nat(NO_SESSION);
const pace = fc.constantFrom<Pace>('quick', 'quick', 'slow');
const deliver = fc.record({ type: fc.constant('deliver' as const), facts: fc.nat(12) });
const resize = fc.record({
  type: fc.constant('resize' as const),
  size: fc.integer({ min: 1, max: SIZE_MAX }),
});
const reload = fc.record({ type: fc.constant('reload' as const) });
const batch = fc.record({
  type: fc.constant('batch' as const),
  count: fc.integer({ min: 2, max: 6 }),
  pace,
});
const stream = (readMax: number): fc.Arbitrary<Step> =>
  fc.record({
    type: fc.constant('stream' as const),
    session,
    upTo: fc.constantFrom(0, 3, 40),
    read: readMax === 0 ? fc.constant(100) : fc.constantFrom(0, 2, 100),
  });
const held = <Op extends CallOp>(ops: readonly Op[]): fc.Arbitrary<Step> =>
  fc.record({
    type: fc.constant('held' as const),
    checkout: fc.nat(1),
    op: fc.constantFrom<CallOp>(...ops),
    pace,
  });
const checkIn = (times: fc.Arbitrary<1 | 2>): fc.Arbitrary<Step> =>
  fc.record({ type: fc.constant('check_in' as const), checkout: fc.nat(1), times });

const calmStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      ...{ type: fc.constant('call' as const), op: fc.constantFrom(...CALM_OPS), session, pace },
      ...{ time: fc.constant('ample' as const), checkout: fc.constant('ample' as const) },
      maxRetries: fc.constant(undefined),
    }),
  },
  { weight: 1, arbitrary: batch },
  { weight: 1, arbitrary: stream(0) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ type: fc.constant('checkout' as const), session, time: fc.constant('ample' as const) },
    }),
  },
  { weight: 1, arbitrary: held(CALM_OPS) },
  { weight: 2, arbitrary: checkIn(fc.constant(1)) },
  { weight: 2, arbitrary: resize },
  { weight: 2, arbitrary: reload },
  { weight: 3, arbitrary: deliver },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('time' as const),
      span: fc.constantFrom('blink' as const, 'moment' as const),
    }),
  },
);

const harshCall = fc.record({
  type: fc.constant('call' as const),
  op: fc.constantFrom<CallOp>(...CALM_OPS, ...CALM_OPS, ...HARSH_OPS),
  ...{ session, pace },
  time: fc.constantFrom<Patience>('ample', 'ample', 'ample', 'tight'),
  checkout: fc.constantFrom<Patience | 'none'>('ample', 'ample', 'ample', 'tight', 'none'),
  maxRetries: fc.constantFrom(undefined, undefined, 0, 1, 2),
});

const harshStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: harshCall },
  { weight: 1, arbitrary: batch },
  { weight: 2, arbitrary: stream(2) },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ type: fc.constant('checkout' as const), session },
      time: fc.constantFrom<Patience>('ample', 'tight'),
    }),
  },
  { weight: 2, arbitrary: held([...CALM_OPS, ...HARSH_OPS]) },
  { weight: 2, arbitrary: checkIn(fc.constantFrom<1 | 2>(1, 2)) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('abort' as const), call: fc.nat(LAST) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom('kill' as const, 'kill' as const, 'freeze' as const),
      whose: fc.constantFrom('idle' as const, 'busy' as const, 'any' as const),
      worker: fc.nat(LAST),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ type: fc.constant('bad_starts' as const), count: fc.integer({ min: 1, max: 2 }) },
    }),
  },
  { weight: 1, arbitrary: resize },
  { weight: 1, arbitrary: reload },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('end_session' as const), session }) },
  { weight: 8, arbitrary: deliver },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('time' as const),
      span: fc.constantFrom(...(['blink', 'blink', 'moment', 'moment', 'while'] as const)),
    }),
  },
);

/** Now and then one of them ends the pool in good order, and maybe begins it again. */
const ending = fc.option(
  fc.record({
    at: fc.nat(30),
    time: fc.constantFrom<Patience>('ample', 'tight'),
    again: fc.constantFrom<readonly Step[]>([], [{ type: 'start' }]),
  }),
  { freq: 4, nil: undefined },
);

const options = {
  size: fc.integer({ min: 1, max: 3 }),
  overflow: fc.constantFrom(0, 0, 1, 2),
  autoscale: fc.constantFrom<'on' | 'off'>('off', 'off', 'on'),
  concurrency: fc.constantFrom(1, 1, 1, 3),
  prefetch: fc.constantFrom(0, 0, 2),
  affinity: fc.constantFrom<PlanOptions['affinity']>('required', 'required', 'preferred', 'none'),
  onSessionLoss: fc.constantFrom<PlanOptions['onSessionLoss']>('rebuild', 'rebuild', 'fail'),
  state: fc.constantFrom<PlanOptions['state']>('journals', 'snapshots'),
  maxCallsPerWorker: fc.constantFrom(undefined, undefined, 2, 5),
};

const schedule = (max: number): fc.Arbitrary<readonly number[]> =>
  fc.array(fc.nat(11), { maxLength: max, size: 'max' });

const SCHEDULE_MAX = 150;

/** Plans in which workers only come and go by order. @param stepsMax how long they may be. */
export function calmPlans(stepsMax: number): fc.Arbitrary<Plan> {
  return fc.record({
    kind: fc.constant('calm' as const),
    options: fc.record({
      ...options,
      // What cannot be made again elsewhere keeps its worker for as long as that may take, and is lost then.
      onSessionLoss: fc.constant('rebuild' as const),
      ...{ queueLengthMax: fc.constant(1_000), maxRetries: fc.constant(0) },
      ...{ drain: fc.constant('ample' as const), maxRestarts: fc.constant(0) },
      breaker: fc.constant('on' as const),
    }),
    steps: fc.array(calmStep, { maxLength: stepsMax, size: 'max' }),
    schedule: schedule(SCHEDULE_MAX),
  });
}

/** Plans in which anything happens. @param stepsMax how long they may be. */
export function harshPlans(stepsMax: number): fc.Arbitrary<Plan> {
  return fc.record({
    kind: fc.constant('harsh' as const),
    options: fc.record({
      ...options,
      ...{ queueLengthMax: fc.constantFrom(1_000, 1_000, 2), maxRetries: fc.constantFrom(0, 2) },
      ...{ drain: fc.constantFrom<Patience>('ample', 'tight') },
      maxRestarts: fc.constantFrom(1_000, 1_000, 2),
      breaker: fc.constantFrom<'on' | 'off'>('on', 'off'),
    }),
    steps: fc
      .tuple(fc.array(harshStep, { maxLength: stepsMax, size: 'max' }), ending)
      .map(([steps, end]) => {
        if (end === undefined) return steps;
        return steps.toSpliced(end.at, 0, { type: 'drain', time: end.time }, ...end.again);
      }),
    schedule: schedule(SCHEDULE_MAX),
  });
}
