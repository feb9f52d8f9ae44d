// What do all trees of one program share? Clock, bus, chance and names: handed in, or the process's own.
import { Bus, type BusEventName, type BusListener } from '../actors/ground/bus.ts';
import { systemClock, type Clock } from '../actors/ground/clock.ts';
import { systemRandom, type Random } from '../actors/ground/random.ts';
import type { LifePorts } from '../actors/lifecycle/child.ts';
import { Names, type ActorName } from '../actors/lifecycle/names.ts';
import type { ActorRef } from '../actors/lifecycle/ref.ts';

/** The ports of a system. Tests hand in their own; each has a default. */
export interface SystemOptions {
  /** All time that counts: restart windows, back-offs, deadlines, delays of machines. Default: real time. */
  readonly clock?: Clock;
  /** The chance in back-offs. Default: that of JavaScript. */
  readonly random?: Random;
  /** Where it is told what happens. Default: a bus of its own. */
  readonly bus?: Bus;
}

/** A world of actors: names are unique in it, and what happens in it is told on its bus. */
export class System implements LifePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly bus: Bus;
  readonly names = new Names();
  #deadLettersCount = 0;

  constructor(options: SystemOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? systemRandom;
    this.bus = options.bus ?? new Bus();
    this.bus.on('letter.dead', () => {
      this.#deadLettersCount += 1;
    });
  }

  /** Events that were sent to the dead since the system began. */
  get deadLettersCount(): number {
    return this.#deadLettersCount;
  }

  /** The living incarnation of that name. */
  whereis(name: ActorName): ActorRef | undefined {
    return this.names.whereis(name);
  }

  /** Watch what happens (`'*'` for everything). A listener that throws is detached. @returns the function that ends it. */
  on<Name extends BusEventName>(name: Name | '*', listener: BusListener<Name>): () => void {
    return this.bus.on(name, listener);
  }
}

let shared: System | undefined;

/** The system of this process: what is started without another one lives in it. */
export function defaultSystem(): System {
  shared ??= new System();
  return shared;
}
