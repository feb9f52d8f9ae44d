// Is a silent worker dead, or does it only compute? A machine that doubts step by step; `liveness.ts` pings, reads and dumps for it.
import { assign, setup, type SnapshotFrom } from 'xstate';

/** Why a worker is held for dead. */
export type LivenessVerdict =
  /** By SIGSTOP or a debugger: it will not run again by itself. */
  | { readonly type: 'stopped' }
  /** It has answered nothing for as long as that, although it works: one C call that holds Python's interpreter lock. */
  | { readonly type: 'gil_held'; readonly heldMs: number }
  /** It neither answers nor works. */
  | { readonly type: 'frozen' };

/** What the operating system says of a process that does not answer. `unknown`: it says nothing. */
export type Pulse = 'stopped' | 'working' | 'idle' | 'unknown';

export interface LivenessInput {
  /** Unanswered beats in a row until the worker is suspected. */
  readonly missesMax: number;
  readonly gilHoldMsMax: number;
  readonly dumpMs: number;
}

interface LivenessContext {
  readonly input: LivenessInput;
  /** Unanswered beats in a row. */
  readonly misses: number;
  /** Time of those beats since suspicion began. */
  readonly heldMs: number;
  readonly verdict: LivenessVerdict | undefined;
}

/** A beat that was due in time and found no answer. Beats that were late, or answered, are no events: they change nothing. */
export interface MissedBeat {
  readonly type: 'beat.missed';
  readonly pulse: Pulse;
  /** Since the beat before. */
  readonly elapsedMs: number;
}

export type LivenessEvent = MissedBeat | { readonly type: 'pong' } | { readonly type: 'polled' };

export const livenessMachine = setup({
  types: {
    context: {} as LivenessContext,
    events: {} as LivenessEvent,
    input: {} as LivenessInput,
    output: {} as LivenessVerdict | undefined,
  },
  actions: {
    dump: () => {
      throw new Error('not provided: dump');
    },
    poll: () => {
      throw new Error('not provided: poll');
    },
    countMiss: assign(({ context }) => ({ misses: context.misses + 1 })),
    countHeld: assign(({ context }, { elapsedMs }: Pick<MissedBeat, 'elapsedMs'>) => ({
      heldMs: context.heldMs + elapsedMs,
    })),
    forgetDoubt: assign({ misses: 0, heldMs: 0, verdict: undefined }),
    recordVerdict: assign((_, verdict: LivenessVerdict) => ({ verdict })),
  },
  guards: {
    isPulse: (_, { found, wanted }: { found: Pulse; wanted: Pulse }) => found === wanted,
    isFirstMisses: ({ context }) => context.misses + 1 < context.input.missesMax,
    isHeldTooLong: ({ context }, { elapsedMs }: Pick<MissedBeat, 'elapsedMs'>) =>
      context.heldMs + elapsedMs >= context.input.gilHoldMsMax,
  },
  delays: {
    dumpTime: ({ context }) => context.input.dumpMs,
  },
}).createMachine({
  id: 'liveness',
  context: ({ input }) => ({ input, misses: 0, heldMs: 0, verdict: undefined }),
  initial: 'beating',
  states: {
    beating: {
      on: {
        pong: { actions: 'forgetDoubt' },
        'beat.missed': [
          { guard: 'isFirstMisses', actions: 'countMiss' },
          {
            guard: {
              type: 'isPulse',
              params: ({ event }) => ({ found: event.pulse, wanted: 'stopped' }),
            },
            target: 'over',
            actions: { type: 'recordVerdict', params: { type: 'stopped' } },
          },
          {
            guard: {
              type: 'isPulse',
              params: ({ event }) => ({ found: event.pulse, wanted: 'idle' }),
            },
            target: 'suspected',
          },
          // Where the system tells nothing, the worker has the benefit of the doubt.
          { target: 'holding' },
        ],
      },
    },
    // One idle beat may be the wait for a disk or a lock; a second one is not waited for a third time.
    suspected: {
      on: {
        pong: { target: 'beating', actions: 'forgetDoubt' },
        'beat.missed': [
          {
            guard: {
              type: 'isPulse',
              params: ({ event }) => ({ found: event.pulse, wanted: 'stopped' }),
            },
            target: 'over',
            actions: { type: 'recordVerdict', params: { type: 'stopped' } },
          },
          {
            guard: {
              type: 'isPulse',
              params: ({ event }) => ({ found: event.pulse, wanted: 'idle' }),
            },
            target: 'dumping',
            actions: { type: 'recordVerdict', params: { type: 'frozen' } },
          },
          {
            guard: { type: 'isHeldTooLong', params: ({ event }) => event },
            target: 'dumping',
            actions: {
              type: 'recordVerdict',
              params: ({ context, event }) => ({
                type: 'gil_held',
                heldMs: context.heldMs + event.elapsedMs,
              }),
            },
          },
          {
            target: 'holding',
            actions: { type: 'countHeld', params: ({ event }) => event },
          },
        ],
      },
    },
    holding: {
      on: {
        pong: { target: 'beating', actions: 'forgetDoubt' },
        'beat.missed': [
          {
            guard: {
              type: 'isPulse',
              params: ({ event }) => ({ found: event.pulse, wanted: 'stopped' }),
            },
            target: 'over',
            actions: { type: 'recordVerdict', params: { type: 'stopped' } },
          },
          {
            guard: { type: 'isHeldTooLong', params: ({ event }) => event },
            target: 'dumping',
            actions: {
              type: 'recordVerdict',
              params: ({ context, event }) => ({
                type: 'gil_held',
                heldMs: context.heldMs + event.elapsedMs,
              }),
            },
          },
          {
            guard: {
              type: 'isPulse',
              params: ({ event }) => ({ found: event.pulse, wanted: 'idle' }),
            },
            target: 'suspected',
            actions: { type: 'countHeld', params: ({ event }) => event },
          },
          { actions: { type: 'countHeld', params: ({ event }) => event } },
        ],
      },
    },
    // An answer still saves it, also one that lay in the socket while Node did something else: hence the poll.
    dumping: {
      entry: 'dump',
      after: { dumpTime: { actions: 'poll' } },
      on: {
        pong: { target: 'beating', actions: 'forgetDoubt' },
        polled: 'over',
      },
    },
    over: { type: 'final' },
  },
  output: ({ context }) => context.verdict,
});

export type LivenessSnapshot = SnapshotFrom<typeof livenessMachine>;
export type LivenessState = LivenessSnapshot['value'];
