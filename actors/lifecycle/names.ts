// Who has this name now? One table for a whole system: a name resolves to the present incarnation, and the dead have none.
import type { ActorRef } from './actor-ref.ts';

/** What has a name: across its restarts, so the reference is asked for each time. */
export type NameHolder = () => ActorRef | undefined;

/** Two copies of this package in one process must know each other's. */
const VIA = Symbol.for('caduceus.via');

/** A name that is kept elsewhere than in the system's own table: Erlang's `{via, Module, Name}`. */
export interface Via {
  readonly [VIA]: true;
  /** The name as people read it. */
  readonly label: string;
  /** @returns the living incarnation of that name. @throws when there is no such place. */
  whereis(names: Names): ActorRef | undefined;
  /** As {@link Names.claim}. */
  claim(names: Names, holder: NameHolder): ActorRef | undefined;
  /** The holder of a name may have a living incarnation now. */
  bind(names: Names, holder: NameHolder): void;
  /** As {@link Names.release}. */
  release(names: Names, holder: NameHolder): void;
}

/** Whatever may stand where a name is expected. */
export type ActorName = string | Via;

/** Make a name that is kept elsewhere. */
export function makeVia(keeper: Omit<Via, typeof VIA>): Via {
  return { ...keeper, [VIA]: true };
}

/** Whether it may stand where a name is expected. */
export function isActorName(name: unknown): name is ActorName {
  if (typeof name === 'string') return name !== '';
  return typeof name === 'object' && name !== null && VIA in name;
}

/** The name as people read it. */
export function nameText(name: ActorName): string {
  return typeof name === 'string' ? name : name.label;
}

/** Local names, unique in one system (Erlang's `register/2`), and the way to those that are kept elsewhere. */
export class Names {
  readonly #holders = new Map<string, NameHolder>();

  /** The living incarnation of that name. */
  whereis(name: ActorName): ActorRef | undefined {
    if (typeof name !== 'string') return name.whereis(this);
    const ref = this.#holders.get(name)?.();
    return ref?.exitReason === undefined ? ref : undefined;
  }

  /**
   * Take a name. One whose holder is dead is free.
   * @returns the reference that has it, when it is another's and alive: then nothing was changed.
   */
  claim(name: ActorName, holder: NameHolder): ActorRef | undefined {
    if (typeof name !== 'string') return name.claim(this, holder);
    const present = this.#holders.get(name);
    const ref = this.whereis(name);
    if (present !== holder && ref !== undefined) return ref;
    this.#holders.set(name, holder);
    return undefined;
  }

  /** The holder of a name may have a living incarnation now: whoever keeps names by incarnations looks. */
  bind(name: ActorName, holder: NameHolder): void {
    if (typeof name !== 'string') name.bind(this, holder);
  }

  /** Give a name back; another's is left alone. */
  release(name: ActorName, holder: NameHolder): void {
    if (typeof name !== 'string') name.release(this, holder);
    else if (this.#holders.get(name) === holder) this.#holders.delete(name);
  }

  /** All names whose holders live, in the order in which they were taken. */
  registered(): readonly string[] {
    return [...this.#holders.keys()].filter((name) => this.whereis(name) !== undefined);
  }
}
