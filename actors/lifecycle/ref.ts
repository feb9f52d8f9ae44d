// How does one actor speak of another? A reference to one incarnation: it stays dead when that is dead.
import type { Bus } from '../ground/bus.ts';
import type { Clock } from '../ground/clock.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type { ActorEvent, ActorRef } from './actor-ref.ts';
import { fromOf } from './from.ts';
import type { Names } from './names.ts';

export type { ActorEvent, ActorRef } from './actor-ref.ts';

/** What an incarnation needs of its world, and what others find of it by the reference. */
export interface RefPorts {
  readonly clock: Clock;
  readonly bus: Bus;
  /** Absent where nothing has a name: in a pool of workers. */
  readonly names?: Names;
}

/** Two copies of this package in one process must know each other's. */
const REF = Symbol.for('caduceus.ref');

/** The end that an incarnation's owner holds: it delivers, and says when all is over. */
export class Incarnation implements ActorRef {
  readonly [REF] = true;
  readonly id: string;
  readonly path: string;
  readonly epoch: number;
  readonly ports: RefPorts;
  #deliver: ((event: ActorEvent) => void) | undefined;
  #quit: ((reason: ExitReason) => void) | undefined;
  #ends: Set<(reason: ExitReason) => void> | undefined;
  #exitReason: ExitReason | undefined;

  constructor(
    address: { readonly id: string; readonly path: string; readonly epoch: number },
    ports: RefPorts,
    deliver: (event: ActorEvent) => void,
    quit?: (reason: ExitReason) => void,
  ) {
    this.id = address.id;
    this.path = address.path;
    this.epoch = address.epoch;
    this.ports = ports;
    this.#deliver = deliver;
    this.#quit = quit;
  }

  get exitReason(): ExitReason | undefined {
    return this.#exitReason;
  }

  send(event: ActorEvent): void {
    if (this.#deliver === undefined) this.drop(event);
    else this.#deliver(event);
  }

  /** Have it end, as if it did so by itself: whoever supervises it judges that. @returns whether it can be asked. */
  quit(reason: ExitReason): boolean {
    if (this.#quit === undefined) return false;
    this.#quit(reason);
    return true;
  }

  /** Count an event that nobody will ever see; who waits for an answer to it is told. */
  drop(event: ActorEvent): void {
    this.ports.bus.emit('letter.dead', { path: this.path, epoch: this.epoch, event: event.type });
    fromOf(event)?.settle({ type: 'lost' });
  }

  /** It is over. Told once; a second end changes nothing. */
  end(reason: ExitReason): void {
    if (this.#exitReason !== undefined) return;
    this.#exitReason = reason;
    const ends = this.#ends;
    this.#ends = undefined;
    // Whoever keeps the reference of the dead does not keep what it was made of.
    this.#deliver = undefined;
    this.#quit = undefined;
    for (const tell of ends ?? []) tell(reason);
  }

  /** Call `tell` when it ends. @returns the function that takes this back. */
  whenEnded(tell: (reason: ExitReason) => void): () => void {
    this.#ends ??= new Set();
    this.#ends.add(tell);
    return () => {
      this.#ends?.delete(tell);
    };
  }
}

/** Whether it is a reference to an actor, of whichever copy of this package. */
export function isIncarnation(value: unknown): value is Incarnation {
  return typeof value === 'object' && value !== null && REF in value;
}

/** References are made by this package alone: whatever else says that it is one was not. */
export function incarnationOf(ref: ActorRef): Incarnation {
  if (isIncarnation(ref)) return ref;
  throw new TypeError('ref: an ActorRef is expected, as startChild and whichChildren give it');
}
