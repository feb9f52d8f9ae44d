// Which waiting calls could travel together? By operation, in the order in which they came.
import type { CallRequest, CallRow } from './call-row.ts';

const NONE: ReadonlySet<CallRow> = new Set();

/** Those of one queue. Each stands here for as long as it waits there. */
export class BatchIndex {
  readonly #rows = new Map<string, Set<CallRow>>();

  add(row: CallRow): void {
    const { op } = row.request;
    const rows = this.#rows.get(op);
    if (rows === undefined) this.#rows.set(op, new Set([row]));
    else rows.add(row);
  }

  delete(row: CallRow): void {
    const { op } = row.request;
    const rows = this.#rows.get(op);
    if (rows?.delete(row) === true && rows.size === 0) this.#rows.delete(op);
  }

  of(op: string): ReadonlySet<CallRow> {
    return this.#rows.get(op) ?? NONE;
  }

  /** Those that are held back, which is a lane of their own; nobody waits here any more. */
  drain(): readonly CallRow[] {
    const held = [...this.#rows.values()].flatMap((rows) => [...rows]).filter(isHeld);
    for (const row of held) row.heldUntilMs = undefined;
    this.#rows.clear();
    return held;
  }
}

/** Whether it may be one of a batch: nobody hears of it before its end, and where it runs is nobody's business. */
export function mayTravelTogether(request: CallRequest): boolean {
  const { batch, sessionId, stream, onProgress, onCallback, site, change } = request;
  if (batch === undefined || batch.maxSize < 2) return false;
  const isHeard = stream !== undefined || onProgress !== undefined || onCallback !== undefined;
  return !isHeard && sessionId === undefined && site === undefined && change === undefined;
}

/** Whether it waits for company, and not yet for a worker. */
export function isHeld(row: CallRow): boolean {
  return row.heldUntilMs !== undefined;
}
