// How does a test fill a queue and take from it, as a router would?
import { encodeValue } from '../../../actors/port/codec.ts';
import {
  newCallRow,
  newLane,
  type CallRow,
  type Slot,
} from '../../../supervisors/pool/call-row.ts';
import type { Affinity } from '../../../supervisors/pool/pool-options.ts';
import { bytesOf, CallQueue } from '../../../supervisors/pool/queue.ts';
import { newSession, type Session } from '../../../supervisors/pool/session.ts';

export const slot = () => ({ lane: newLane(), sessions: new Set() }) as unknown as Slot;

export const session = (id: string, bound?: Slot): Session =>
  Object.assign(newSession(id, 'live', 0), { slot: bound });

export function queued(onLoss?: 'rebuild' | 'fail') {
  const queue = new CallQueue(onLoss);
  let seq = 0;
  let taken: CallRow | undefined;
  const add = (of?: Session, affinity: Affinity = 'required', text = ''): CallRow => {
    seq += 1;
    const row = newCallRow({
      ...{ kind: 'call', seq, session: of, affinity, args: encodeValue({ text }, 'args') },
      ...{ acceptedAtMs: 0, deadlineAtMs: 0 },
      ...{ request: { op: 'op', args: {}, timeoutMs: 1, checkoutTimeoutMs: 1 } },
      ...{ resolve: () => undefined, reject: () => undefined },
    });
    row.bytes = bytesOf(row.args);
    queue.add(row);
    return row;
  };
  /** Taken by a worker, which binds the call's session. */
  const take = (by: Slot): number | undefined => {
    const row = queue.take(by);
    taken = row;
    if (row === undefined) return undefined;
    row.phase = 'running';
    if (row.session !== undefined) row.session.slot = by;
    return row.seq;
  };
  /** The call that was taken last is to be tried again. */
  const retry = (): void => {
    taken!.phase = 'queued';
    queue.addAgain(taken!);
  };
  /** The running call of a session has ended. */
  const end = (of: Session): void => {
    of.phase = 'idle';
    queue.relist(of);
  };
  const settle = (row: CallRow): void => {
    queue.drop(row);
    row.phase = 'settled';
  };
  return { queue, add, take, retry, end, settle };
}
