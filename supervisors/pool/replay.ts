// How is an incarnation told what it has missed? One journal entry at a time, before the call that needs them.
import type { Bus } from '../../actors/ground/bus.ts';
import {
  PythonError,
  ReplayFailedError,
  WorkerCrashedError,
  type CaduceusError,
} from '../../actors/ground/errors.ts';
import { SecretMissingError } from '../../actors/ground/pool-errors.ts';
import type { SentOutcome, Settle } from '../../actors/worker/pending-calls.ts';
import type { SentCall } from '../../actors/worker/worker-types.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';
import { refOf, type CallRow, type Slot } from './call-row.ts';
import type { Replay } from './scopes.ts';

export interface Replayer {
  readonly pool: string;
  readonly bus: Bus;
  /** The next entry that the slot lacks for this call. */
  readonly missing: (slot: Slot, row: CallRow) => Replay | undefined;
  /** Whether calls may still be sent there. */
  readonly isRouted: (slot: Slot) => boolean;
  /** @returns its number with the worker. Throws when nothing was sent: larger than a frame. */
  readonly send: (
    slot: Slot,
    row: CallRow,
    message: Omit<SentCall, 'deadlineMs'>,
    settle: Settle,
  ) => number;
}

export type ReplayResult =
  /** The call may be sent. */
  | { readonly type: 'current' }
  /** The call has its outcome already (deadline, abort). */
  | { readonly type: 'settled' }
  /** The call was not sent. `scope`: of what was being replayed; absent when that was nothing, or never left. */
  | {
      readonly type: 'failed';
      readonly error: CaduceusError;
      readonly scope?: Replay['scope'] | undefined;
    };

/** Replay what is missing, then say `done`, at once when nothing is. */
export function bringUpToDate(
  slot: Slot,
  row: CallRow,
  replayer: Replayer,
  done: (result: ReplayResult) => void,
): void {
  const replayed: string[] = [];
  const step = (): void => {
    // Looked at before each step: whoever listens to the bus may have ended the call meanwhile.
    if (row.phase === 'settled') {
      done({ type: 'settled' });
      return;
    }
    if (!replayer.isRouted(slot)) {
      failAtEnd(slot, row, done);
      return;
    }
    if (slot.endingsCount > 0) {
      // It takes nothing new before that is over there: whoever sees to it goes on here.
      slot.held = step;
      return;
    }
    const replay = replayer.missing(slot, row);
    if (replay !== undefined) {
      sendReplay(replay);
    } else if (replayed.length > 0) {
      tellReplayed(slot, row, replayer, replayed.splice(0));
      step();
    } else {
      done({ type: 'current' });
    }
  };
  const sendReplay = (replay: Replay): void => {
    sendOne(slot, row, replayer, replay, (result) => {
      if (result.type !== 'current') {
        done(result);
        return;
      }
      replayed.push(replay.entry.op);
      step();
    });
  };
  step();
}

/** Tell one entry, then say whether it is known there now. */
function sendOne(
  slot: Slot,
  row: CallRow,
  replayer: Replayer,
  replay: Replay,
  done: (result: ReplayResult) => void,
): void {
  const { entry, mark, scope, sessionId: session } = replay;
  if (entry.missingSecret !== undefined) {
    done({ type: 'failed', error: new SecretMissingError(entry.missingSecret) });
    return;
  }
  const fail = (error: CaduceusError): void => {
    mark.remove(entry.seq);
    done({ type: 'failed', error, scope });
  };
  const takenBack = (): void => {
    mark.remove(entry.seq);
    done({ type: 'settled' });
  };
  const settle: Settle = (outcome) => {
    const { replay: sent } = row;
    row.replay = undefined;
    const error = errorOf(slot, row, replay, outcome);
    if (error === undefined) {
      if (sent !== undefined) sent.state = 'done';
      done({ type: 'current' });
      // Cut short for its caller, who waits no longer: that speaks against nobody.
    } else if (row.phase === 'settled' && outcome.type !== 'crashed') takenBack();
    else fail(error);
  };
  // Marked when it is sent: a deletion on another worker meanwhile must know that this one will have the thing.
  mark.tell(entry.seq);
  try {
    const message = { op: entry.op, args: entry.args, session };
    row.replay = { id: replayer.send(slot, row, message, settle), state: 'sent', takenBack };
  } catch (cause) {
    fail(replayFailed(row, replay, errorFrom(cause)));
  }
}

/** The worker's end is certain and its reason is not known yet: nothing more is sent, and the call fails with the reason once that is told. */
function failAtEnd(slot: Slot, row: CallRow, done: (result: ReplayResult) => void): void {
  slot.worker.whenEnded((report) => {
    const error = new WorkerCrashedError(row.request.op, refOf(slot), report, 'notSent');
    done({ type: 'failed', error });
  });
}

function errorOf(
  slot: Slot,
  row: CallRow,
  replay: Replay,
  outcome: SentOutcome,
): CaduceusError | undefined {
  const { op } = row.request;
  if (outcome.type === 'crashed') {
    return new WorkerCrashedError(op, refOf(slot), outcome.report, 'notSent');
  }
  if (outcome.reply.ok) return undefined;
  return replayFailed(row, replay, new PythonError(outcome.reply.error, refOf(slot)));
}

function replayFailed(row: CallRow, { scope, entry }: Replay, cause: Error): ReplayFailedError {
  return new ReplayFailedError(row.request.op, scope, entry.op, cause);
}

function tellReplayed(
  slot: Slot,
  row: CallRow,
  replayer: Replayer,
  operations: readonly string[],
): void {
  replayer.bus.emit('scope.replayed', {
    pool: replayer.pool,
    scope: row.session === undefined ? 'anonymous' : `session ${row.session.id}`,
    worker: slot.worker.workerId,
    epoch: slot.epoch,
    operations,
  });
}
