// Is a worker to be spent on this call, now that its turn has come?
import { DeadlineExceededError } from '../../actors/ground/errors.ts';
import type { CallRow } from './call-row.ts';
import type { RouterParts } from './router-parts.ts';

/** It can make it no more, or workers have died of the same while it waited: then it is failed. @returns whether it is. */
export function isInVain(row: CallRow, parts: RouterParts): boolean {
  const { settling, retrying, runTimes, ports } = parts;
  const { op, timeoutMs } = row.request;
  const { counters } = settling.accounting;
  const poison = retrying.poisonOf(row.request, row.args);
  if (poison !== undefined) {
    counters.quarantined += 1;
    settling.fail(row, poison);
    return true;
  }
  if (!runTimes.isHopeless(op, row.deadlineAtMs - ports.clock.nowMs())) return false;
  counters.shed += 1;
  const where = 'before it was sent: none of the last runs took as little time as it has left';
  settling.fail(row, new DeadlineExceededError(op, timeoutMs, 'notSent', where));
  return true;
}
