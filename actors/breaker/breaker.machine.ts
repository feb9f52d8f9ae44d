// May calls go to the workers of a pool? Closed: all; open: none; half open: a few, which show whether it can be closed. No I/O here: `breaker.ts` gives the permits.
import { assign, setup, type SnapshotFrom } from 'xstate';

/** `BreakerOptions` of a pool, all of them. */
export interface BreakerSettings {
  /** Failures with no success between them that open it. */
  readonly failureThreshold: number;
  /** Successes in half open that close it. */
  readonly successThreshold: number;
  /** From the last failure to half open, in ms. */
  readonly openMs: number;
  /** Calls that are let through at a time while it is half open. */
  readonly halfOpenCallsMax: number;
  /** A probe without an end for this long is lost, in ms. */
  readonly probeTimeoutMs: number;
}

/** Why its state changed last. */
export type BreakerCause =
  | 'failures'
  | 'open_time_over'
  | 'probe_failed'
  | 'probe_lost'
  | 'worker_failed'
  | 'probes_succeeded'
  | 'reset';

/** A call that was let through while half open, and when it is lost. */
interface Probe {
  readonly id: number;
  readonly dueAtMs: number;
}

interface BreakerContext {
  readonly settings: BreakerSettings;
  /** While closed: failures since the last success. */
  readonly failures: number;
  /** While half open. */
  readonly successes: number;
  /** Those that have not ended, the oldest first. */
  readonly probes: readonly Probe[];
  /** When the last event came, which is when a delay begins. */
  readonly nowMs: number;
  /** When it is half open again. */
  readonly openUntilMs: number;
  readonly because: BreakerCause;
}

/** `failed`: an incarnation crashed, or did not start; `probe.released`: a probe that has shown nothing. */
export type BreakerEvent =
  | { readonly type: 'failed'; readonly nowMs: number }
  | { readonly type: 'succeeded' }
  | { readonly type: 'probe.begun'; readonly id: number; readonly nowMs: number }
  | { readonly type: 'probe.succeeded'; readonly id: number; readonly nowMs: number }
  | { readonly type: 'probe.failed'; readonly id: number; readonly nowMs: number }
  | { readonly type: 'probe.released'; readonly id: number; readonly nowMs: number }
  | { readonly type: 'reset' };

function without(probes: readonly Probe[], id: number): readonly Probe[] {
  return probes.filter((probe) => probe.id !== id);
}

export const breakerMachine = setup({
  types: {
    context: {} as BreakerContext,
    events: {} as BreakerEvent,
    input: {} as BreakerSettings,
  },
  actions: {
    forgetFailures: assign({ failures: 0 }),
    countFailure: assign({ failures: ({ context }) => context.failures + 1 }),
    countSuccess: assign({ successes: ({ context }) => context.successes + 1 }),
    beginOpen: assign({
      openUntilMs: ({ context }, { nowMs }: { readonly nowMs: number }) =>
        nowMs + context.settings.openMs,
    }),
    /** Its timer fires when the oldest probe is lost; that is when the open time begins. */
    beginOpenByLoss: assign({
      openUntilMs: ({ context }) => (context.probes[0]?.dueAtMs ?? 0) + context.settings.openMs,
    }),
    beginProbes: assign({ successes: 0, probes: [] }),
    addProbe: assign({
      nowMs: (_, { nowMs }: { readonly id: number; readonly nowMs: number }) => nowMs,
      probes: ({ context }, { id, nowMs }: { readonly id: number; readonly nowMs: number }) => [
        ...context.probes,
        { id, dueAtMs: nowMs + context.settings.probeTimeoutMs },
      ],
    }),
    removeProbe: assign({
      nowMs: (_, { nowMs }: { readonly id: number; readonly nowMs: number }) => nowMs,
      probes: ({ context }, { id }: { readonly id: number; readonly nowMs: number }) =>
        without(context.probes, id),
    }),
    record: assign((_, params: { readonly because: BreakerCause }) => params),
  },
  guards: {
    isEnoughToOpen: ({ context }) => context.failures + 1 >= context.settings.failureThreshold,
    isEnoughToClose: ({ context }) => context.successes + 1 >= context.settings.successThreshold,
    isLastProbe: ({ context }, { id }: { readonly id: number }) =>
      without(context.probes, id).length === 0,
  },
  delays: {
    openTime: ({ context }) => context.settings.openMs,
    probeTime: ({ context }) => (context.probes[0]?.dueAtMs ?? context.nowMs) - context.nowMs,
  },
}).createMachine({
  id: 'breaker',
  context: ({ input }) => ({
    settings: input,
    failures: 0,
    successes: 0,
    probes: [],
    nowMs: 0,
    openUntilMs: 0,
    because: 'reset',
  }),
  initial: 'closed',
  on: {
    reset: {
      target: '.closed',
      actions: { type: 'record', params: { because: 'reset' } },
    },
  },
  states: {
    closed: {
      entry: 'forgetFailures',
      on: {
        succeeded: { actions: 'forgetFailures' },
        failed: [
          {
            guard: 'isEnoughToOpen',
            target: 'open',
            actions: [
              { type: 'record', params: { because: 'failures' } },
              { type: 'beginOpen', params: ({ event }) => event },
            ],
          },
          { actions: 'countFailure' },
        ],
      },
    },
    open: {
      // From the last failure: a pool whose workers go on failing is not asked again.
      on: {
        failed: {
          target: 'open',
          reenter: true,
          actions: { type: 'beginOpen', params: ({ event }) => event },
        },
      },
      after: {
        openTime: {
          target: 'half_open',
          actions: { type: 'record', params: { because: 'open_time_over' } },
        },
      },
    },
    half_open: {
      entry: 'beginProbes',
      initial: 'waiting',
      on: {
        failed: {
          target: 'open',
          actions: [
            { type: 'record', params: { because: 'worker_failed' } },
            { type: 'beginOpen', params: ({ event }) => event },
          ],
        },
        'probe.failed': {
          target: 'open',
          actions: [
            { type: 'record', params: { because: 'probe_failed' } },
            { type: 'beginOpen', params: ({ event }) => event },
          ],
        },
      },
      states: {
        waiting: {
          on: {
            'probe.begun': {
              target: 'probing',
              actions: { type: 'addProbe', params: ({ event }) => event },
            },
          },
        },
        probing: {
          after: {
            probeTime: {
              target: '#breaker.open',
              actions: [{ type: 'record', params: { because: 'probe_lost' } }, 'beginOpenByLoss'],
            },
          },
          on: {
            'probe.begun': { actions: { type: 'addProbe', params: ({ event }) => event } },
            'probe.succeeded': [
              {
                guard: 'isEnoughToClose',
                target: '#breaker.closed',
                actions: { type: 'record', params: { because: 'probes_succeeded' } },
              },
              {
                guard: { type: 'isLastProbe', params: ({ event }) => event },
                target: 'waiting',
                actions: ['countSuccess', { type: 'removeProbe', params: ({ event }) => event }],
              },
              {
                // Again, for the time that the oldest of the others has left.
                target: 'probing',
                reenter: true,
                actions: ['countSuccess', { type: 'removeProbe', params: ({ event }) => event }],
              },
            ],
            'probe.released': [
              {
                guard: { type: 'isLastProbe', params: ({ event }) => event },
                target: 'waiting',
                actions: { type: 'removeProbe', params: ({ event }) => event },
              },
              {
                target: 'probing',
                reenter: true,
                actions: { type: 'removeProbe', params: ({ event }) => event },
              },
            ],
          },
        },
      },
    },
  },
});

export type BreakerSnapshot = SnapshotFrom<typeof breakerMachine>;
