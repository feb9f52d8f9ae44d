// What is a child of any XState logic to its supervisor? The shell around the lifecycle machine: it opens, asks, kills and tells.
import type { Actor } from 'xstate';

import type { Clock } from '../ground/clock.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import type {
  Child,
  ChildFact,
  ChildStart,
  LifecycleState,
  Shutdown,
  StartOrder,
} from './child.ts';
import { Inside, type AnyStart, type InsidePorts } from './inside.ts';
import {
  lifecycleMachine,
  lifecycleStateOf,
  type LifecycleEvent,
  type LifecycleSnapshot,
} from './lifecycle.machine.ts';
import type { ActorRef } from './ref.ts';
import { createRoot } from './root.ts';

export interface ActorChildOptions {
  readonly start: AnyStart;
  readonly input: unknown;
  /** From the start to ready, in ms. */
  readonly startTimeoutMs: number;
  /** A temporary child is never restarted: its input is let go of as soon as it has started (OTP keeps no arguments of temporary children). */
  readonly keepsInput: boolean;
}

/** What the machine orders. Noted during the transition, carried out after it. */
type Order = 'open' | 'ask' | 'kill' | 'reap';

const queues = new WeakMap<object, Order[]>();

/** One machine for all: filling in a machine builds it anew, which costs more than the whole rest of a child's start. */
const note =
  (order: Order) =>
  ({ self }: { readonly self: object }): void => {
    queues.get(self)?.push(order);
  };
const machine = lifecycleMachine.provide({
  actions: { open: note('open'), ask: note('ask'), kill: note('kill'), reap: note('reap') },
});

/** A child specification's `start` for XState logic or a start function. */
export function actorStart(options: ActorChildOptions, ports: InsidePorts): ChildStart {
  return (order) => new ActorChild(order, options, ports);
}

class ActorChild implements Child {
  readonly id: string;
  readonly kind = 'worker';
  readonly pid = undefined;
  readonly #order: StartOrder;
  readonly #ports: InsidePorts;
  readonly #startTimeoutMs: number;
  readonly #actor: Actor<typeof lifecycleMachine>;
  readonly #orders: Order[] = [];
  /** To be told when the machine is at rest: what its supervisor answers is done at once then, and not after all else that it does in this turn. */
  readonly #facts: ChildFact[] = [];
  #turn: 'none' | 'running' = 'none';
  #options: ActorChildOptions | undefined;
  #inside: Inside;
  #info: unknown;
  #told: LifecycleState = 'spawning';
  #failure: Error | undefined;

  constructor(order: StartOrder, options: ActorChildOptions, ports: InsidePorts) {
    this.id = order.id;
    this.#order = order;
    this.#options = options;
    this.#ports = ports;
    this.#startTimeoutMs = options.startTimeoutMs;
    this.#inside = this.#newInside(order.epoch);
    this.#actor = createRoot(machine, {
      id: order.path,
      clock: this.#turningClock(),
      input: { epoch: order.epoch, startTimeoutMs: this.#startTimeoutMs },
      onSnapshot: (snapshot) => this.#onSnapshot(snapshot),
      onError: (error) => this.#onMachineError(error),
    });
    queues.set(this.#actor, this.#orders);
    this.#takeTurn(() => this.#actor.start());
  }

  get state(): LifecycleState {
    return this.#failure === undefined ? lifecycleStateOf(this.#actor.getSnapshot()) : 'stopped';
  }

  get epoch(): number {
    return this.#actor.getSnapshot().context.epoch;
  }

  get ref(): ActorRef {
    return this.#inside.ref;
  }

  get #reason(): ExitReason {
    return this.#actor.getSnapshot().context.reason;
  }

  children(): readonly Child[] {
    return [];
  }

  restart(epoch: number, delayMs: number): void {
    this.#tellMachine({ type: 'lifecycle.restart', epoch, delayMs });
  }

  stop(shutdown: Shutdown, _reason: ExitReason): void {
    this.#tellMachine({ type: 'lifecycle.stop', shutdown });
  }

  /** Facts of what has ended, and orders to it, come too late to matter. */
  #tellMachine(event: LifecycleEvent): void {
    if (this.#actor.getSnapshot().status !== 'active') return;
    this.#takeTurn(() => this.#actor.send(event));
  }

  #takeTurn(act: () => void): void {
    if (this.#turn === 'running') {
      act();
      return;
    }
    this.#turn = 'running';
    try {
      act();
    } finally {
      this.#turn = 'none';
    }
    // One that is told may bring the next turn, which tells the rest.
    for (let fact = this.#facts.shift(); fact !== undefined; fact = this.#facts.shift()) {
      this.#order.listener(fact);
    }
  }

  #turningClock(): Pick<Clock, 'setTimeout' | 'clearTimeout'> {
    const { clock } = this.#ports;
    return {
      setTimeout: (fn, timeoutMs) => clock.setTimeout(() => this.#takeTurn(fn), timeoutMs),
      clearTimeout: (id) => clock.clearTimeout(id),
    };
  }

  #newInside(epoch: number): Inside {
    const address = { id: this.id, path: this.#order.path, epoch };
    const ofThis = (event: LifecycleEvent): void => {
      if (this.#inside === inside) this.#tellMachine(event);
    };
    const inside: Inside = new Inside(address, this.#ports, {
      ready: (info) => {
        this.#info = info;
        ofThis({ type: 'inside.ready' });
      },
      ignored: () => ofThis({ type: 'inside.ignored' }),
      exited: (reason) => ofThis({ type: 'inside.exited', reason }),
      reaped: () => ofThis({ type: 'inside.reaped' }),
    });
    return inside;
  }

  #carryOut(order: Order): void {
    switch (order) {
      case 'open':
        this.#open();
        return;
      case 'ask':
        this.#inside.ask();
        return;
      case 'kill':
        this.#inside.kill(this.#reason);
        return;
      case 'reap':
        this.#inside.reap();
        return;
      default:
        order satisfies never;
    }
  }

  #open(): void {
    const { epoch } = this;
    if (epoch !== this.#inside.ref.epoch) this.#inside = this.#newInside(epoch);
    const options = this.#options;
    if (options === undefined)
      throw new Error(`${this.#order.path}: started again after its input was let go of`);
    if (!options.keepsInput) this.#options = undefined;
    this.#ports.bus.emit('child.starting', { path: this.#order.path, epoch });
    this.#order.begun?.(this);
    this.#inside.open(options.start, options.input);
  }

  #onSnapshot(snapshot: LifecycleSnapshot): void {
    const state = lifecycleStateOf(snapshot);
    const before = this.#told;
    this.#told = state;
    for (const order of this.#orders.splice(0)) this.#carryOut(order);
    const { epoch, reason } = snapshot.context;
    const { id } = this;
    const { path } = this.#order;
    if (snapshot.matches({ crashed: 'reaped' })) this.#tellCrash(epoch, reason);
    if (state === before) return;
    switch (state) {
      case 'crashed': {
        const facts = { path, epoch, reason, stderrTail: '', inFlightCalls: 0 };
        this.#ports.bus.emit('child.crashed', facts);
        return;
      }
      case 'ready':
        this.#ports.bus.emit('child.ready', { path, epoch, pid: undefined, info: undefined });
        this.#facts.push({ type: 'child.ready', id, epoch, info: this.#info });
        return;
      case 'stopped':
        this.#tellStopped(epoch, reason, before);
        return;
      default:
        return;
    }
  }

  /** Once its clean-up is over. No event leaves this state where it is, so it is told once. */
  #tellCrash(epoch: number, reason: ExitReason): void {
    const report = { reason, stderrTail: '' };
    this.#facts.push({ type: 'child.crashed', id: this.id, epoch, report });
  }

  #tellStopped(epoch: number, reason: ExitReason, before: LifecycleState): void {
    const { id } = this;
    this.#ports.bus.emit('child.stopped', { path: this.#order.path, epoch, reason });
    // From spawning straight to stopped: its start said `ignore`, which is `normal`, or it was killed.
    const isIgnored = before === 'spawning' && reason.type === 'normal';
    if (isIgnored) this.#facts.push({ type: 'child.ignored', id, epoch });
    else this.#facts.push({ type: 'child.stopped', id, epoch, reason });
  }

  /** Our own machine threw: no transition will come any more, so what is inside is ended here, and the supervisor told. */
  #onMachineError(error: Error): void {
    this.#failure = error;
    const { epoch } = this;
    const reason: ExitReason = { type: 'error', error };
    this.#inside.kill(reason);
    this.#ports.bus.emit('child.stopped', { path: this.#order.path, epoch, reason });
    this.#facts.push({ type: 'child.stopped', id: this.id, epoch, reason });
  }
}
