// By which means does a running call end of which its caller has had enough? Gentle ones first, each with its time; `cancellation.ts` carries them out.
import { assign, setup, type SnapshotFrom } from 'xstate';

/** The means that a running call may need, the gentlest first (`docs/protocol.md` §4.4). */
export type CancelStage = 'flag' | 'raise' | 'interrupt' | 'kill';

/** How a worker runs its calls, which decides what one of them can be ended by without harm to the others. */
export type CancelMode = 'sync' | 'threads' | 'asyncio';

export interface CancelBudgets {
  readonly flagMs: number;
  readonly raiseMs: number;
  readonly interruptMs: number;
  /** For the neighbours of a call that nothing has ended, until all of them are killed. */
  readonly drainMs: number;
}

export interface CancelInput {
  readonly mode: CancelMode;
  readonly budgets: CancelBudgets;
}

interface CancelContext {
  readonly input: CancelInput;
  /** The last means that was used. */
  readonly stage: CancelStage;
}

/** `polled`: what had arrived when a stage's time was over has been read, and the call has not ended by it. */
export type CancelEvent = { readonly type: 'call.ended' } | { readonly type: 'polled' };

/** An order that the façade fills in. */
function unprovided(name: string): () => never {
  return () => {
    throw new Error(`not provided: ${name}`);
  };
}

export const cancellationMachine = setup({
  types: {
    context: {} as CancelContext,
    events: {} as CancelEvent,
    input: {} as CancelInput,
  },
  actions: {
    flag: unprovided('flag'),
    raise: unprovided('raise'),
    interrupt: unprovided('interrupt'),
    drain: unprovided('drain'),
    condemn: unprovided('condemn'),
    poll: unprovided('poll'),
    recordStage: assign((_, params: { stage: CancelStage }) => params),
  },
  guards: {
    /** A thread that is not the main one could not be told from its neighbours when it holds a lock of theirs. */
    isThreads: ({ context }) => context.input.mode === 'threads',
    /** SIGINT reaches the main thread, which runs the one call there is; at `asyncio` it runs them all. */
    isAsyncio: ({ context }) => context.input.mode === 'asyncio',
  },
  delays: {
    flagTime: ({ context }) => context.input.budgets.flagMs,
    raiseTime: ({ context }) => context.input.budgets.raiseMs,
    interruptTime: ({ context }) => context.input.budgets.interruptMs,
    drainTime: ({ context }) => context.input.budgets.drainMs,
  },
}).createMachine({
  id: 'cancellation',
  context: ({ input }) => ({ input, stage: 'flag' }),
  initial: 'flagged',
  states: {
    flagged: {
      entry: 'flag',
      after: { flagTime: { actions: 'poll' } },
      on: {
        'call.ended': 'settled',
        polled: [{ guard: 'isThreads', target: 'draining' }, { target: 'raised' }],
      },
    },
    raised: {
      entry: [{ type: 'recordStage', params: { stage: 'raise' } }, 'raise'],
      after: { raiseTime: { actions: 'poll' } },
      on: {
        'call.ended': 'settled',
        polled: [{ guard: 'isAsyncio', target: 'draining' }, { target: 'interrupted' }],
      },
    },
    interrupted: {
      entry: [{ type: 'recordStage', params: { stage: 'interrupt' } }, 'interrupt'],
      after: { interruptTime: { actions: 'poll' } },
      on: { 'call.ended': 'settled', polled: 'condemned' },
    },
    draining: {
      entry: 'drain',
      after: { drainTime: { actions: 'poll' } },
      on: { 'call.ended': 'settled', polled: 'condemned' },
    },
    condemned: {
      type: 'final',
      entry: [{ type: 'recordStage', params: { stage: 'kill' } }, 'condemn'],
    },
    settled: { type: 'final' },
  },
});

type CancelSnapshot = SnapshotFrom<typeof cancellationMachine>;
export type CancelState = CancelSnapshot['value'];
