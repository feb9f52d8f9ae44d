// What is inside the lifecycle of a child that is no process? One incarnation: its start function, its logic, its end and its clean-up.
import type { AnyActorLogic } from 'xstate';

import { errorFrom } from '../ground/error-from.ts';
import { SHUTDOWN, type ExitReason } from '../ground/exit-reason.ts';
import { isThenable } from '../ground/thenable.ts';
import { runInside } from './crash-trap.ts';
import { LogicActor } from './logic-actor.ts';
import { Incarnation, type ActorEvent, type RefPorts } from './ref.ts';
import type { ActorOwner } from './self.ts';
import { isLogic, type StartContext, type Started } from './start-function.ts';

export interface InsideEnds {
  readonly ready: (info: unknown) => void;
  readonly ignored: () => void;
  readonly exited: (reason: ExitReason) => void;
  readonly reaped: () => void;
}

export type InsidePorts = RefPorts;

export type AnyStart =
  | AnyActorLogic
  | ((input: never, context: StartContext) => Started | 'ignore' | PromiseLike<Started | 'ignore'>);

/** What became of the start function. */
type Starting =
  | { readonly type: 'none' }
  | {
      readonly type: 'pending';
      readonly abort: AbortController;
      readonly settled: Promise<unknown>;
    }
  | { readonly type: 'done' };

/** One incarnation. After `exited` or `kill` nothing is told but `reaped`. */
export class Inside {
  readonly ref: Incarnation;
  /** Answers for the code of the start function, and for what that leaves running. */
  readonly #starter: ActorOwner;
  readonly #ports: InsidePorts;
  readonly #ends: InsideEnds;
  #starting: Starting = { type: 'none' };
  #logic: LogicActor | undefined;
  #cleanUp: (() => unknown) | undefined;
  /** What a kill left to clean up: nobody waits for it but the next start. */
  #left: readonly Promise<unknown>[] = [];
  #wants: 'life' | 'end' = 'life';

  constructor(
    address: { readonly id: string; readonly path: string; readonly epoch: number },
    ports: InsidePorts,
    ends: InsideEnds,
  ) {
    this.#ports = ports;
    this.#ends = ends;
    const deliver = (event: ActorEvent): void => {
      // Between its launch and its logic there is nobody who could take an event.
      if (this.#logic === undefined) this.ref.drop(event);
      else this.#logic.send(event);
    };
    this.ref = new Incarnation(address, ports, deliver, (reason) => this.#quit(reason));
    this.#starter = { ref: this.ref, crashed: (error) => this.#onStartEscape(error) };
  }

  open(start: AnyStart, input: unknown): void {
    if (isLogic(start)) {
      this.#run({ logic: start, input });
      return;
    }
    const abort = new AbortController();
    const context = { signal: abort.signal, epoch: this.ref.epoch, self: this.ref };
    try {
      const given = runInside(this.#starter, () => start(input as never, context));
      if (isThenable(given)) this.#await(this.#promised(given), abort);
      else this.#take(given);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  /** Ask it to end. It answers with `exited`, at once where it takes no question. */
  ask(): void {
    this.#wants = 'end';
    if (this.#starting.type === 'pending') {
      this.#starting.abort.abort();
      return;
    }
    if (this.#logic?.askToEnd() === true) return;
    this.#exit(SHUTDOWN);
  }

  /** End it now: it is detached, its references are dead, and what it still does is of no effect. Its clean-up runs, and nobody waits for it. */
  kill(reason: ExitReason): void {
    this.#wants = 'end';
    if (this.#starting.type === 'pending') this.#starting.abort.abort();
    this.ref.end(reason);
    this.#left = this.#caught([this.#halt(), this.#runCleanUp()]);
  }

  /** Clean up after the end; `reaped` follows. */
  reap(): void {
    const left = [...this.#left, ...this.#caught([this.#halt(), this.#runCleanUp()])];
    if (left.length === 0) this.#ends.reaped();
    else void Promise.all(left).then(this.#ends.reaped);
  }

  #await(given: Promise<Started | 'ignore'>, abort: AbortController): void {
    this.#starting = { type: 'pending', abort, settled: given };
    given.then(
      (started) => {
        this.#starting = { type: 'done' };
        this.#take(started);
      },
      (cause: unknown) => {
        this.#starting = { type: 'done' };
        if (this.#wants === 'end') this.#exit(SHUTDOWN);
        else this.#fail(cause);
      },
    );
  }

  #take(given: Started | 'ignore'): void {
    if (this.ref.exitReason !== undefined) {
      // It came after all, when the start had been given up: what it opened is closed again.
      this.#cleanUp = given === 'ignore' ? undefined : given?.cleanUp;
      void this.#caught([this.#runCleanUp()]);
      return;
    }
    if (given === 'ignore') {
      if (this.#wants === 'end') this.#exit(SHUTDOWN);
      else this.#ignore();
      return;
    }
    if (typeof given !== 'object' || given === null || !isLogic(given.logic)) {
      this.#fail(new TypeError(`start of ${this.ref.path}: gave neither { logic } nor 'ignore'`));
      return;
    }
    this.#cleanUp = given.cleanUp;
    // Nobody wants it any more: what it opened is closed again.
    if (this.#wants === 'end') this.#exit(SHUTDOWN);
    else this.#run(given);
  }

  #run({ logic, input, info }: Started): void {
    const { clock } = this.#ports;
    this.#logic = new LogicActor(
      logic,
      { ref: this.ref, clock, input },
      {
        ready: () => {
          this.#ends.ready(info);
        },
        exited: (reason) => {
          this.#exit(reason);
        },
        late: (error) => {
          this.#late(error);
        },
      },
    );
    this.#logic.start();
  }

  /** Somebody wants it to end by itself: it is asked where it takes the question. */
  #quit(reason: ExitReason): void {
    if (this.#logic?.askToEnd() === true) return;
    if (this.#starting.type === 'pending') this.#starting.abort.abort();
    this.#exit(reason);
  }

  #onStartEscape(error: Error): void {
    if (this.ref.exitReason === undefined) this.#fail(error);
    else this.#late(error);
  }

  #ignore(): void {
    this.ref.end({ type: 'normal' });
    this.#ends.ignored();
  }

  #fail(cause: unknown): void {
    this.#exit({ type: 'error', error: errorFrom(cause) });
  }

  #exit(reason: ExitReason): void {
    if (this.ref.exitReason !== undefined) return;
    this.ref.end(reason);
    this.#ends.exited(reason);
  }

  #halt(): unknown {
    const logic = this.#logic;
    this.#logic = undefined;
    return this.#quietly(() => logic?.halt());
  }

  #runCleanUp(): unknown {
    const cleanUp = this.#cleanUp;
    this.#cleanUp = undefined;
    return this.#quietly(() => runInside(this.#starter, () => cleanUp?.()));
  }

  /** An error of a clean-up changes nothing about the end; it is told, not thrown. */
  #quietly(act: () => unknown): unknown {
    try {
      return act();
    } catch (cause) {
      this.#late(cause);
      return undefined;
    }
  }

  #late(cause: unknown): void {
    const error = errorFrom(cause);
    const { path, epoch } = this.ref;
    this.#ports.bus.emit('child.late_error', { path, epoch, error });
  }

  /** Those of them that take their time; what they reject with is told. */
  #caught(results: readonly unknown[]): readonly Promise<unknown>[] {
    return results.filter(isThenable).map((result) =>
      this.#promised(result).catch((cause: unknown) => {
        this.#late(cause);
      }),
    );
  }

  /** Whatever can be waited for, as a promise. The `then` of what is none is the actor's code. */
  #promised<Value>(given: PromiseLike<Value>): Promise<Value> {
    return runInside(this.#starter, () => Promise.resolve(given));
  }
}
