// Between whom does a fleet stand, and what can one see of it? Types only.
import type { Bus } from '../../actors/ground/bus.ts';
import type { Clock } from '../../actors/ground/clock.ts';
import type { Random } from '../../actors/ground/random.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import type { FleetLoad } from './fleet-plan.ts';
import type { Wear } from './recycle.ts';

/** Who starts and stops the workers. */
export interface FleetTree {
  /** `down`: their supervisor is not there, or is starting or ending; nothing can be ordered of it. */
  readonly state: 'up' | 'down';
  /** Start one that is not restarted when it ends. `done`: it has begun, or not even that; its supervisor may be busy before. */
  startWorker(id: string, done: (error?: Error) => void): void;
  /** It is restarted from now on, within the pool's intensity. */
  adopt(id: string): void;
  /** Stop it and forget it. @returns `gone` when there was nothing to stop; else its end is told as a fact. */
  removeWorker(id: string, how: 'in_time' | 'at_once', because: string): 'stopping' | 'gone';
  /** Kill this incarnation and start the next. */
  replaceWorker(id: string, epoch: number, because: string): void;
}

/** Who gives them calls. */
export interface FleetRouter {
  load(): FleetLoad;
  /** It is given nothing new, finishes what it has, and its sessions move. `done`: it may be stopped; after `drainMs` at the latest, or when it has died. */
  retire(
    worker: Worker,
    order: { readonly because: string; readonly drainMs: number },
    done: () => void,
  ): void;
  /** Whether nothing keeps it: no call, no holder, no session that can be nowhere else. */
  isSpare(worker: Worker): boolean;
  /** One that the pool counts on did not become ready. */
  startFailed(): void;
}

export interface FleetPorts {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly random: Random;
}

/** How many workers come and go now, and how many have since the start of the pool. */
export interface FleetStatistics {
  readonly starting: number;
  readonly retiring: number;
  /** Replaced because they had done enough: by what they had reached. */
  readonly recycled: Readonly<Record<Wear, number>>;
  readonly reloaded: number;
  readonly overflowed: number;
  /** Starts that did not become ready, whatever they were for. */
  readonly startsFailed: number;
}
