// May this call go to a worker? Permits of a circuit breaker; the code that they are for runs at its caller, never in here (B21).
import type { Actor } from 'xstate';

import type { Bus } from '../ground/bus.ts';
import type { Clock } from '../ground/clock.ts';
import { createRoot } from '../lifecycle/root.ts';
import { breakerMachine, type BreakerSettings, type BreakerSnapshot } from './breaker.machine.ts';

export type { BreakerSettings } from './breaker.machine.ts';

export type BreakerState = 'closed' | 'open' | 'half_open';

/** What a call has that was let through. The first word counts, the others do not; nor does any after the breaker has changed its state. */
export interface Permit {
  /** It had an answer: Python's own exceptions are one. */
  success(): void;
  /** It speaks against the pool. A crash does not come here but to `Breaker.failed`, once, however many calls it takes along; theirs are released. */
  failure(): void;
  /** It has shown nothing: it was aborted, its deadline passed, or its worker crashed. */
  release(): void;
}

export type Admission =
  | { readonly type: 'granted'; readonly permit: Permit }
  /** `retryAfterMs`: when to look again; while it is half open, when the oldest probe is lost at the latest. */
  | { readonly type: 'refused'; readonly retryAfterMs: number };

export interface BreakerOptions extends BreakerSettings {
  /** Of the pool. */
  readonly name: string;
}

export interface BreakerPorts {
  readonly clock: Clock;
  readonly bus: Bus;
}

/** How a permit ends. */
type Ending = 'succeeded' | 'failed' | 'released';

/** One for each call: of an object that all shared nobody could say which of them has ended. */
class CallPermit implements Permit {
  readonly #end: (period: number, id: number, ending: Ending) => void;
  /** The stay in one state that it belongs to; -1 when it has ended. */
  #period: number;
  readonly #id: number;

  constructor(
    end: (period: number, id: number, ending: Ending) => void,
    period: number,
    id: number,
  ) {
    this.#end = end;
    this.#period = period;
    this.#id = id;
  }

  success(): void {
    this.#finish('succeeded');
  }

  failure(): void {
    this.#finish('failed');
  }

  release(): void {
    this.#finish('released');
  }

  #finish(ending: Ending): void {
    const period = this.#period;
    this.#period = ENDED;
    this.#end(period, this.#id, ending);
  }
}

const ENDED = -1;

/**
 * The breaker of one pool. While it is closed and nothing has failed, `acquire` and `success` are a few comparisons and two small objects, less than 0.1 µs
 * together, and the machine hears of neither.
 */
export class Breaker {
  readonly #name: string;
  readonly #ports: BreakerPorts;
  readonly #halfOpenCallsMax: number;
  readonly #actor: Actor<typeof breakerMachine>;
  readonly #listeners = new Set<() => void>();
  readonly #end = (period: number, id: number, ending: Ending): void => {
    if (period === this.#period) this.#onEnd(id, ending);
  };
  /** What the machine said last. Who is told of a change from inside it sees the new state here already. */
  #state: BreakerState = 'closed';
  #failures = 0;
  /** Each stay in a state has its number. */
  #period = 0;
  /** Of this stay, while half open: probes that have not ended. */
  readonly #probes = new Set<number>();
  #lastProbeId = 0;
  /** Whether a call was refused since a probe has ended: nobody else wants to know that there is room again. */
  #crowd: 'nobody' | 'somebody' = 'nobody';
  #notice: 'none' | 'soon' = 'none';

  constructor(options: BreakerOptions, ports: BreakerPorts) {
    const { name, ...settings } = options;
    this.#name = name;
    this.#ports = ports;
    this.#halfOpenCallsMax = settings.halfOpenCallsMax;
    this.#actor = createRoot(breakerMachine, {
      id: `breaker ${name}`,
      clock: ports.clock,
      input: settings,
      onSnapshot: (snapshot) => this.#onSnapshot(snapshot),
      // Nobody's code runs in the machine but the clock's: without timers it would stay open for ever.
      onError: () => this.#move('closed', 'reset'),
    });
    this.#actor.start();
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Ask for one call. Whoever is granted says how it ended: a probe that does not is lost, and opens the breaker again. */
  acquire(): Admission {
    switch (this.#state) {
      case 'closed':
        return { type: 'granted', permit: new CallPermit(this.#end, this.#period, 0) };
      case 'open':
        return { type: 'refused', retryAfterMs: this.#leftMs(this.#context.openUntilMs) };
      case 'half_open':
        return this.#acquireProbe();
      default:
        return this.#state satisfies never;
    }
  }

  /** A failure that no single call stands for: an incarnation crashed, or a worker did not start. */
  failed(): void {
    this.#tell({ type: 'failed', nowMs: this.#ports.clock.nowMs() });
  }

  /** Told, soon, when a call may be let through again: it is half open or closed, or a probe has ended and another call was refused meanwhile. @returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Closed, as if nothing had failed. */
  reset(): void {
    this.#tell({ type: 'reset' });
  }

  /** No timer is left, and nobody is told of anything any more. */
  stop(): void {
    this.#actor.stop();
    this.#listeners.clear();
  }

  get #context(): BreakerSnapshot['context'] {
    return this.#actor.getSnapshot().context;
  }

  #acquireProbe(): Admission {
    if (this.#probes.size >= this.#halfOpenCallsMax) {
      this.#crowd = 'somebody';
      const oldest = this.#context.probes[0];
      return { type: 'refused', retryAfterMs: this.#leftMs(oldest?.dueAtMs ?? 0) };
    }
    const id = (this.#lastProbeId += 1);
    this.#probes.add(id);
    this.#tell({ type: 'probe.begun', id, nowMs: this.#ports.clock.nowMs() });
    return { type: 'granted', permit: new CallPermit(this.#end, this.#period, id) };
  }

  #leftMs(atMs: number): number {
    return Math.max(0, Math.ceil(atMs - this.#ports.clock.nowMs()));
  }

  #onEnd(id: number, ending: Ending): void {
    const nowMs = this.#ports.clock.nowMs();
    if (this.#state === 'half_open') {
      this.#probes.delete(id);
      this.#tell({ type: `probe.${ending}`, id, nowMs });
      if (this.#crowd === 'somebody') this.#noticeSoon();
    } else if (ending === 'failed') {
      this.#tell({ type: 'failed', nowMs });
    } else if (ending === 'succeeded' && this.#failures > 0) {
      this.#tell({ type: 'succeeded' });
    }
  }

  /** Words may come after the end, which XState would warn of on the console. */
  #tell(event: Parameters<Actor<typeof breakerMachine>['send']>[0]): void {
    if (this.#actor.getSnapshot().status === 'active') this.#actor.send(event);
  }

  #onSnapshot(snapshot: BreakerSnapshot): void {
    const { failures, because } = snapshot.context;
    this.#failures = failures;
    const state = typeof snapshot.value === 'string' ? snapshot.value : 'half_open';
    if (state !== this.#state) this.#move(state, because);
  }

  #move(state: BreakerState, because: BreakerSnapshot['context']['because']): void {
    const from = this.#state;
    this.#state = state;
    this.#period += 1;
    this.#probes.clear();
    this.#ports.bus.emit('breaker.changed', { pool: this.#name, from, to: state, because });
    if (state !== 'open') this.#noticeSoon();
  }

  /** Not from inside the machine: whoever is told calls `acquire` at once. */
  #noticeSoon(): void {
    if (this.#notice === 'soon') return;
    this.#notice = 'soon';
    this.#crowd = 'nobody';
    this.#ports.clock.afterPoll(() => {
      this.#notice = 'none';
      for (const listener of this.#listeners) listener();
    });
  }
}
