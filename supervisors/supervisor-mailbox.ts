// In which order does a supervisor take what reaches it? Facts as they come; messages one after the other, when nothing is under way.
import type { Clock } from '../actors/ground/clock.ts';
import { Fifo } from '../actors/ground/fifo.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import type { ChildFact } from '../actors/lifecycle/child.ts';
import type { Row } from './child-row.ts';
import type { SupervisorCall } from './supervisor-call.ts';

/** What waits until nothing is under way. `epoch` is the one that the message is about. */
export type Message =
  /** A child has ended, and nobody has judged that. */
  | { readonly type: 'exit'; readonly row: Row; readonly epoch: number }
  /** `retry`: one more start after one that failed; `due`: the back-off is over. */
  | { readonly type: 'retry' | 'due'; readonly row: Row; readonly epoch: number }
  | { readonly type: 'call'; readonly call: SupervisorCall };

export interface MailboxEnds {
  readonly onFact: (row: Row, fact: ChildFact) => void;
  readonly onMessage: (message: Message) => void;
  /** Whether the supervisor is free for the next message. */
  readonly isFree: () => boolean;
  readonly onThrown: (cause: unknown) => void;
}

/** Two queues and a turn: one thing after the other, never one inside another. */
export class SupervisorMailbox {
  readonly #ends: MailboxEnds;
  readonly #clock: Clock;
  readonly #facts = new Fifo<{ readonly row: Row; readonly fact: ChildFact }>();
  readonly #messages = new Fifo<Message>();
  #turn: 'none' | 'running' | 'to come' = 'none';

  constructor(clock: Clock, ends: MailboxEnds) {
    this.#clock = clock;
    this.#ends = ends;
  }

  tell(row: Row, fact: ChildFact): void {
    this.#facts.push({ row, fact });
    this.#run();
  }

  post(message: Message): void {
    this.#messages.push(message);
    this.#run();
  }

  /** Act at once, as part of a turn: what children tell meanwhile is taken afterwards. */
  now(act: () => void): void {
    if (this.#turn === 'running') act();
    else this.#run(act);
  }

  #run(first?: () => void): void {
    if (first === undefined && this.#turn !== 'none') return;
    const toCome = this.#turn === 'to come';
    this.#turn = 'running';
    if (first !== undefined) this.#guarded(first);
    // Not for ever in one turn of the event loop, whatever the children do.
    let left: number = toCome ? 0 : LIMITS.supervisorStepsPerTurn;
    while (left > 0 && this.#step()) left -= 1;
    if (left > 0) {
      this.#turn = 'none';
      return;
    }
    this.#turn = 'to come';
    if (toCome) return;
    this.#clock.afterPoll(() => {
      this.#turn = 'none';
      this.#run();
    });
  }

  /** Take all messages out: nobody will handle them. */
  clear(): readonly Message[] {
    const messages: Message[] = [];
    for (let next = this.#messages.shift(); next !== undefined; next = this.#messages.shift()) {
      messages.push(next);
    }
    return messages;
  }

  #step(): boolean {
    const told = this.#facts.shift();
    if (told !== undefined) {
      this.#guarded(() => this.#ends.onFact(told.row, told.fact));
      return true;
    }
    const message = this.#ends.isFree() ? this.#messages.shift() : undefined;
    if (message === undefined) return false;
    this.#guarded(() => this.#ends.onMessage(message));
    return true;
  }

  /** What throws in a turn is a failure of the supervisor, not of the child that told, of the caller or of the process. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.#ends.onThrown(cause);
    }
  }
}
