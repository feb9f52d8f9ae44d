// What is a row, and how far has it come?

/**
 * `call`: a caller's. `checkout`: whoever has it holds its worker alone. `internal`: the pool's own (a snapshot, forgetting); counted apart. `carrier`: carries a batch of calls, which are counted,
 * while it is not.
 */
export type RowKind = 'call' | 'checkout' | 'internal' | 'carrier';

/**
 * `waiting`: for its next try. `storing`: it has run, and its entry is on its way to the store. `ending`: its caller has had enough, and is to be told once it is known whether the call has started.
 */
export type RowPhase =
  'queued' | 'waiting' | 'replaying' | 'running' | 'storing' | 'ending' | 'settled';

/** One entry of a journal that a worker is told for a call. */
export interface SentReplay {
  /** Its number with the worker. */
  readonly id: number;
  /** `done`: it has been answered, and is known there. */
  state: 'sent' | 'done';
  /** The worker had not begun it, and never will. */
  readonly takenBack: () => void;
}
