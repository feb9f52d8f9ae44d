// In which state is a pool, who waits for another one, and what follows from each? The machine, and those who listen to it.
import type { Actor } from 'xstate';

import type { Bus } from '../../actors/ground/bus.ts';
import type { Clock } from '../../actors/ground/clock.ts';
import {
  PoolFailedError,
  RuntimeStoppedError,
  type CaduceusError,
} from '../../actors/ground/errors.ts';
import { PoolStoppedError } from '../../actors/ground/pool-errors.ts';
import { createRoot } from '../../actors/lifecycle/root.ts';
import type { Done } from './fleet-requests.ts';
import {
  placeOf,
  poolMachine,
  stateOf,
  type PoolEvent,
  type PoolInput,
  type PoolPlace,
  type PoolState,
} from './pool.machine.ts';

export type { WhyClosed } from './pool.machine.ts';

/** What a state means for the rest of the pool; each is done once, on entering it. */
export interface LifeHands {
  /** Take calls again, and have the tree started. */
  readonly begin: () => void;
  /** Take no new calls. */
  readonly drain: () => void;
  /** Fail what waits, and stop the tree. */
  readonly stop: () => void;
  /** Fail what waits; the tree ends by itself. */
  readonly fail: (makeError: () => PoolFailedError) => void;
  /** As `stop`, but for good, and the tree is ended by its root. */
  readonly close: (makeError: () => CaduceusError) => void;
}

/** Told of each place that the pool comes to. @returns whether it waits on. */
type Waiter = (place: PoolPlace) => 'waits' | 'told';

export class PoolLife {
  readonly #pool: string;
  readonly #bus: Bus;
  readonly #hands: LifeHands;
  readonly #actor: Actor<typeof poolMachine>;
  readonly #waiters = new Set<Waiter>();
  #place: PoolPlace;
  #because = '';
  /** How often it has come to another place. */
  #moveCount = 0;
  /** What is dealt with, and what comes after it. */
  readonly #told: { readonly event: PoolEvent; readonly because: string }[] = [];

  constructor(
    pool: string,
    input: PoolInput,
    ports: { readonly clock: Clock; readonly bus: Bus },
    hands: LifeHands,
  ) {
    this.#pool = pool;
    this.#place = input.start === 'on_demand' ? 'unstarted' : 'starting';
    this.#bus = ports.bus;
    this.#hands = hands;
    this.#actor = createRoot(poolMachine, {
      id: `pool ${pool}`,
      clock: ports.clock,
      input,
      onSnapshot: (snapshot) => this.#come(placeOf(snapshot)),
      onError: (error) =>
        this.#come('failed', () => new PoolFailedError(pool, 'its own machine threw', error)),
    });
    this.#actor.start();
  }

  get place(): PoolPlace {
    return this.#place;
  }

  get state(): PoolState {
    return stateOf(this.#place);
  }

  /** Whether none of its tree may be up. */
  get isOver(): boolean {
    return this.#place === 'stopped' || this.#place === 'closed';
  }

  /** @returns what tells whether it has been in the place of now ever since. */
  whileHere(): () => boolean {
    const moveCount = this.#moveCount;
    return () => moveCount === this.#moveCount;
  }

  /** @param because in words, for those who watch. */
  tell(event: PoolEvent, because: string): void {
    this.#told.push({ event, because });
    if (this.#told.length > 1) return;
    // What is told while another is dealt with comes after it, with its own words.
    for (let [next] = this.#told; next !== undefined; [next] = this.#told) {
      this.#because = next.because;
      if (this.#actor.getSnapshot().status === 'active') this.#actor.send(next.event);
      this.#because = '';
      this.#told.shift();
    }
    this.#tellWaiters();
  }

  /** `done` once it serves, or with why it does not. */
  whenServing(done: Done): void {
    this.#watch((place) => {
      if (place === 'unstarted' || place === 'starting' || place === 'restarting') return 'waits';
      done(this.errorOf(place));
      return 'told';
    });
  }

  /** `done` once it has stopped, or with what it has come to instead. It has been told to stop, or to drain. */
  whenStopped(done: Done): void {
    this.#watch((place) => {
      if (place === 'draining' || place === 'stopping') return 'waits';
      done(place === 'stopped' || place === 'closed' ? undefined : this.errorOf(place));
      return 'told';
    });
  }

  /** Why it does nothing for anybody, in each state in which that is so. */
  errorOf(place: PoolPlace): Error | undefined {
    switch (place) {
      case 'failed':
      case 'restarting':
        return this.#actor.getSnapshot().context.makeError?.();
      case 'draining':
      case 'stopping':
        return new PoolStoppedError(this.#pool, 'draining');
      case 'stopped':
        return new PoolStoppedError(this.#pool, 'stopped');
      case 'closed':
        return this.#closedError();
      case 'unstarted':
      case 'starting':
      case 'serving':
        return undefined;
      default:
        return place satisfies never;
    }
  }

  #closedError(): CaduceusError {
    const { whyClosed } = this.#actor.getSnapshot().context;
    return whyClosed === 'runtime ends'
      ? new RuntimeStoppedError(`pool ${this.#pool}`)
      : new PoolStoppedError(this.#pool, 'unregistered');
  }

  /** Call `waiter` now and with each change, until it has what it waits for. While something is dealt with, that comes first. */
  #watch(waiter: Waiter): void {
    if (this.#told.length > 0 || waiter(this.#place) === 'waits') this.#waiters.add(waiter);
  }

  #tellWaiters(): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter(this.#place) === 'told') this.#waiters.delete(waiter);
    }
  }

  #come(place: PoolPlace, makeError?: () => PoolFailedError): void {
    const from = this.#place;
    if (place === from) return;
    this.#place = place;
    this.#moveCount += 1;
    const [before, after] = [stateOf(from), stateOf(place)];
    if (before !== after) {
      const because = this.#because === '' ? 'its time was over' : this.#because;
      this.#bus.emit('pool.changed', { pool: this.#pool, from: before, to: after, because });
    }
    this.#act(place, from, makeError ?? this.#actor.getSnapshot().context.makeError);
    if (this.#told.length === 0) this.#tellWaiters();
  }

  #act(place: PoolPlace, from: PoolPlace, makeError: (() => PoolFailedError) | undefined): void {
    switch (place) {
      case 'starting':
        this.#hands.begin();
        return;
      case 'draining':
        this.#hands.drain();
        return;
      case 'stopping':
        this.#hands.stop();
        return;
      case 'failed':
        if (from !== 'restarting' && makeError !== undefined) this.#hands.fail(makeError);
        return;
      case 'closed':
        this.#hands.close(() => this.#closedError());
        return;
      case 'unstarted':
      case 'serving':
      case 'stopped':
      case 'restarting':
        return;
      default:
        place satisfies never;
    }
  }
}
