// How does one learn that an actor has ended, without having anything to do with its life? Erlang's monitors.
import { AsyncResource } from 'node:async_hooks';

import type { ExitReason } from '../ground/exit-reason.ts';
import { Timetable } from './later.ts';
import { incarnationOf, type ActorRef, type Incarnation, type RefPorts } from './ref.ts';
import { ownIncarnation } from './self.ts';

/** What a monitor tells, once. */
export interface Down {
  /** `DOWN`, unless the monitor asked for another name of the event. */
  readonly type: string;
  readonly monitorId: number;
  /** Who has ended; nothing when nobody had the name. */
  readonly ref: ActorRef | undefined;
  /** Why; `noproc` when it was dead before it was monitored. */
  readonly reason: ExitReason;
}

/** Who is told: a function, or an actor by an event. */
export type DownListener =
  | ((down: Down) => void)
  | {
      readonly notify: ActorRef;
      /** The event's type. Default `DOWN`. */
      readonly event?: string;
    };

/** One monitor. Several of the same actor are independent of each other. */
export interface Monitor {
  readonly id: number;
  readonly ref: ActorRef | undefined;
  /**
   * Monitor no longer.
   *
   * @param options `flush: false` still delivers a DOWN that waits to be delivered. By default nothing follows.
   * @returns whether the monitor was still waiting for the end.
   */
  demonitor(options?: { readonly flush?: boolean }): boolean;
}

const NOPROC: ExitReason = { type: 'noproc' };

/**
 * @param ref nothing where nobody has the name.
 * @param ports where the monitor lives when there is nobody to monitor.
 */
export function monitorActor(
  ref: ActorRef | undefined,
  ports: RefPorts,
  listener: DownListener,
): Monitor {
  const target = ref === undefined ? undefined : incarnationOf(ref);
  return new OneMonitor(target, target?.ports ?? ports, listener);
}

class OneMonitor implements Monitor {
  readonly id: number;
  readonly ref: Incarnation | undefined;
  readonly #ports: RefPorts;
  readonly #listener: DownListener;
  /** Of who asked: what the listener does is that one's code. */
  readonly #context = new AsyncResource('caduceus.monitor');
  /** Who is told, where that is an actor: its monitors go with it. */
  readonly #watcher: Incarnation | undefined;
  #state: 'watching' | 'queued' | 'over' = 'watching';
  #undo: (() => void)[] = [];

  constructor(target: Incarnation | undefined, ports: RefPorts, listener: DownListener) {
    const timetable = Timetable.of(ports.clock);
    this.id = timetable.nextId();
    this.ref = target;
    this.#ports = ports;
    this.#listener = listener;
    this.#watcher =
      typeof listener === 'function' ? ownIncarnation() : incarnationOf(listener.notify);
    if (this.#watcher !== undefined) {
      this.#undo.push(this.#watcher.whenEnded(() => void this.demonitor()));
    }
    if (target === undefined || target.exitReason !== undefined) this.#down(NOPROC);
    else this.#undo.push(target.whenEnded((reason) => this.#down(reason)));
  }

  demonitor({ flush = true }: { readonly flush?: boolean } = {}): boolean {
    const was = this.#state;
    if (was === 'queued' && !flush) return false;
    this.#end();
    return was === 'watching';
  }

  /** Told after whatever runs now, and so behind the last messages of the dead, wherever those still are. */
  #down(reason: ExitReason): void {
    this.#state = 'queued';
    Timetable.of(this.#ports.clock).later(() => {
      if (this.#state !== 'queued') return;
      this.#end();
      if (this.#watcher === undefined || this.#watcher.exitReason === undefined) this.#tell(reason);
    });
  }

  #tell(reason: ExitReason): void {
    const { id: monitorId, ref } = this;
    const listener = this.#listener;
    if (typeof listener !== 'function') {
      listener.notify.send({ type: listener.event ?? 'DOWN', monitorId, ref, reason });
      return;
    }
    try {
      this.#context.runInAsyncScope(() => listener({ type: 'DOWN', monitorId, ref, reason }));
    } catch (error) {
      this.#ports.bus.emit('monitor.listener_failed', { monitorId, path: ref?.path, error });
    }
  }

  #end(): void {
    this.#state = 'over';
    for (const take of this.#undo.splice(0)) take();
  }
}
