// What becomes of a call of which its caller has had enough: by its deadline, its signal, or because nobody reads on?
import { Cancellation, type CaduceusError, type Outcome } from '../../actors/ground/errors.ts';
import type { CallRow, Slot } from './call-row.ts';
import type { Session } from './session.ts';

/** What the router does for it. */
export interface Ender {
  readonly drop: (row: CallRow) => void;
  readonly fail: (row: CallRow, error: Error) => void;
  readonly free: (slot: Slot, row: CallRow) => void;
  readonly retire: (slot: Slot, because: string) => void;
  readonly replace: (slot: Slot, because: string) => void;
  /** A call that travels with others is left by its caller. */
  readonly leaveBatch: (row: CallRow, because: string, error: MakeError) => Cancellation;
  /** One of its ends is over. */
  readonly goOn: (slot: Slot) => void;
  /** The next call of the session may go. */
  readonly resume: (session: Session) => void;
}

export type MakeError = (outcome: Outcome, cancellation: Cancellation) => CaduceusError;

/**
 * The caller waits no longer. What had not started is not run; what runs is cancelled by stages, and its worker takes nothing new before it is over there.
 * A worker that cannot be brought to end it is replaced, and so is one in which an operation that changes state was cut short: what it has done nobody knows.
 * @returns how the end goes on.
 */
export function abandon(
  row: CallRow,
  because: string,
  error: MakeError,
  ender: Ender,
): Cancellation {
  const { phase } = row;
  if (row.carrier !== undefined && (phase === 'replaying' || phase === 'running'))
    return ender.leaveBatch(row, because, error);
  switch (phase) {
    case 'settled':
    case 'ending':
      return row.cancellation ?? new Cancellation('not_sent');
    case 'queued':
    case 'waiting': {
      ender.drop(row);
      const cancellation = new Cancellation('not_sent');
      ender.fail(row, error('notSent', cancellation));
      return cancellation;
    }
    case 'replaying':
      return endReplay(row, because, error, ender);
    case 'storing': {
      // It has run, and what it changed is noted: only its caller does not wait for the store.
      const cancellation = new Cancellation('flag');
      ender.fail(row, error('maybeExecuted', cancellation));
      return cancellation;
    }
    case 'running':
      return end(row, because, error, ender);
    default:
      return phase satisfies never;
  }
}

/** It was not sent yet. What its worker is told for it is ended like a call that changes state: it may wait behind another one, which must not die of that. */
function endReplay(row: CallRow, because: string, error: MakeError, ender: Ender): Cancellation {
  const { slot, replay } = row;
  // Without one it waits there until another call is over: nothing is under way for it.
  if (slot === undefined || replay === undefined) {
    const cancellation = new Cancellation('not_sent');
    ender.fail(row, error('notSent', cancellation));
    return cancellation;
  }
  const cancellation = new Cancellation();
  ender.fail(row, error('notSent', cancellation));
  slot.endingsCount += 1;
  slot.worker.cancel(replay.id, (fact) => {
    switch (fact.type) {
      case 'started':
        return;
      case 'condemned':
        ender.replace(slot, because);
        return;
      case 'over':
        slot.endingsCount -= 1;
        cancellation.settle(fact.stage);
        if (fact.stage === 'withdrawn') replay.takenBack();
        else if (replay.state !== 'done' && slot.phase !== 'gone') ender.retire(slot, because);
        ender.goOn(slot);
        return;
      default:
        fact satisfies never;
    }
  });
  return cancellation;
}

/** It has no call there: a checkout that waits until others are done at its worker. */
function endUnsent(row: CallRow, error: MakeError, ender: Ender): Cancellation {
  const cancellation = new Cancellation('not_sent');
  if (row.kind === 'checkout' && row.slot !== undefined) {
    ender.fail(row, error('notSent', cancellation));
    ender.free(row.slot, row);
  }
  return cancellation;
}

function end(row: CallRow, because: string, error: MakeError, ender: Ender): Cancellation {
  const { slot, sentId } = row;
  // Of a batch some may have been told of it already.
  const cancellation = row.cancellation ?? new Cancellation();
  if (slot === undefined || sentId === undefined) return endUnsent(row, error, ender);
  row.phase = 'ending';
  row.cancellation = cancellation;
  slot.endingsCount += 1;
  slot.worker.cancel(sentId, (fact) => {
    switch (fact.type) {
      case 'started':
        ender.fail(row, error('maybeExecuted', cancellation));
        return;
      case 'condemned':
        ender.replace(slot, because);
        return;
      case 'over':
        slot.endingsCount -= 1;
        cancellation.settle(fact.stage);
        if (fact.stage === 'withdrawn') {
          ender.fail(row, error('notSent', cancellation));
          ender.free(slot, row);
        } else if (row.request.change !== undefined && slot.phase !== 'gone') {
          ender.retire(slot, because);
        }
        ender.goOn(slot);
        return;
      default:
        fact satisfies never;
    }
  });
  return cancellation;
}
