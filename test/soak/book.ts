// What do the clients of one pool know together? Each call is entered when it is made, and struck out by its one end.
import { isCaduceusError } from '../../src/index.ts';
import {
  describeFailure,
  judge,
  type Failure,
  type Site,
  type Targets,
  type Wanted,
} from './judge.ts';
import { endingOf, Tally } from './tally.ts';

/** A call, as it is entered. */
export interface Entry {
  readonly client: string;
  readonly op: string;
  readonly sessionId: string | undefined;
  readonly wanted: Wanted;
  readonly beganMs: number;
  /** When it must be over, whatever happens: its deadline, and what its end may take. */
  readonly dueMs: number;
}

/** What is known of a failed call besides its error. */
export interface FailedHow {
  /** The incarnation that its caller held alone. */
  readonly held?: Site | undefined;
  /** It was never accepted, though its error is also one of calls that were. */
  readonly isRefused?: boolean;
}

/** A failure whose fault is not known yet: it may be told a moment later, and is judged again at the end. */
const PENDING_MAX = 10_000;
/** What is wrong with a run is known by the first of them. */
const KEPT_MAX = 50;

export class Book {
  readonly tally = new Tally();
  readonly #pool: string;
  readonly #targets: Targets;
  readonly #open = new Set<Entry>();
  readonly #late = new Set<Entry>();
  readonly #complaints: string[] = [];
  #complaintsCount = 0;
  #pending: Failure[] = [];

  constructor(pool: string, targets: Targets) {
    this.#pool = pool;
    this.#targets = targets;
  }

  /** How many calls have not ended yet. */
  get openCount(): number {
    return this.#open.size;
  }

  /** How much is not explained, and the first of it in words. Failures that still may be are not among them before {@link Book.close}. */
  get unexplained(): { readonly count: number; readonly complaints: readonly string[] } {
    return { count: this.#complaintsCount, complaints: this.#complaints };
  }

  begin(entry: Entry): void {
    this.#open.add(entry);
  }

  completed(entry: Entry, nowMs: number): void {
    if (!this.#strike(entry)) return;
    this.tally.completed(nowMs - entry.beganMs);
  }

  failed(entry: Entry, error: unknown, nowMs: number, how: FailedHow = {}): void {
    if (!this.#strike(entry)) return;
    const { client, op, sessionId, wanted, beganMs } = entry;
    const code = isCaduceusError(error) ? error.code : 'not_ours';
    this.tally.ended(code, how.isRefused === true ? 'refused' : endingOf(code));
    const { held } = how;
    const call = { pool: this.#pool, client, op, sessionId, wanted, held };
    this.#pending.push({ ...call, error, beganMs, tookMs: nowMs - beganMs });
    if (this.#pending.length > PENDING_MAX) this.close();
  }

  /** Something is not as it must be. */
  complain(what: string): void {
    this.#complaintsCount += 1;
    if (this.#complaints.length < KEPT_MAX) this.#complaints.push(`${this.#pool}: ${what}`);
  }

  /** Drop the failures that are explained by now, and complain of calls that should be over. */
  review(nowMs: number): void {
    this.#pending = this.#pending.filter(
      (failure) => judge(failure, this.#targets).type === 'unexplained',
    );
    for (const entry of this.#open) {
      if (nowMs < entry.dueMs || this.#late.has(entry)) continue;
      this.#late.add(entry);
      const tookMs = Math.round(nowMs - entry.beganMs);
      this.complain(`${entry.op} by ${entry.client} has no end after ${tookMs} ms`);
    }
  }

  /** All faults are known: what is not explained now never will be. */
  close(): void {
    for (const failure of this.#pending.splice(0)) {
      const verdict = judge(failure, this.#targets);
      if (verdict.type === 'unexplained') this.complain(describeFailure(failure, verdict.because));
    }
  }

  #strike(entry: Entry): boolean {
    if (this.#open.delete(entry)) return true;
    this.complain(`${entry.op} by ${entry.client} has ended twice`);
    return false;
  }
}
