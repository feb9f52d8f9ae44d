// How does a test hold a whole system of actors in its hand? Virtual time, a seeded chance, every event noted, and a way to let everything settle.
import { Bus, type BusEventName, type BusEvents } from '../../actors/ground/bus.ts';
import { System } from '../../supervisors/system.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Turns of the microtask queue after which a chain of promises is done: longer than any in the code. */
const MICROTASKS = 24;
/** More rounds than this without time passing is a loop that would never end. */
const ROUNDS_MAX = 20_000;

export interface VirtualSystem {
  readonly clock: VirtualClock;
  readonly bus: Bus;
  readonly system: System;
  /** Everything that was told on the bus, in order. */
  readonly events: readonly { readonly name: BusEventName; readonly event: object }[];
  /** What was told under this name. */
  readonly told: <Name extends BusEventName>(name: Name) => readonly BusEvents[Name][];
  /** Let promises and polls run until nothing waits but time. */
  readonly settle: () => Promise<void>;
  /** Let time pass, deadline by deadline, and settle at each. */
  readonly advance: (ms: number) => Promise<void>;
  /** Settle until the promise is; time does not pass. @throws what it rejects with. */
  readonly settled: <Value>(promise: Promise<Value>) => Promise<Value>;
}

export function virtualSystem(): VirtualSystem {
  const clock = new VirtualClock();
  const bus = new Bus();
  const system = new System({ clock, bus, random: { next: () => 0.5 } });
  const events: { name: BusEventName; event: object }[] = [];
  bus.on('*', (event, name) => events.push({ name, event }));
  const settle = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      for (let turn = 0; turn < MICROTASKS; turn += 1) await Promise.resolve();
      if (!clock.poll()) return;
    }
    throw new Error('it does not settle');
  };
  return {
    ...{ clock, bus, system, events },
    told: (name) => events.flatMap((told) => (told.name === name ? [told.event as never] : [])),
    settle,
    advance: async (ms) => {
      await settle();
      const untilMs = clock.nowMs() + ms;
      for (let next = clock.nextAtMs(); next <= untilMs; next = clock.nextAtMs()) {
        clock.advance(next - clock.nowMs());
        await settle();
      }
      clock.advance(untilMs - clock.nowMs());
      await settle();
    },
    settled: async (promise) => {
      // Nobody else may hear of a rejection that is thrown here.
      promise.catch(() => undefined);
      await settle();
      return promise;
    },
  };
}
