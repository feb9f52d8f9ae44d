// Who holds the children, what reaches the supervisor's machine, and who carries out its verdicts? The shell: one serial process, as OTP's is.
import type { Actor } from 'xstate';

import type { TimerId } from '../actors/ground/clock.ts';
import { KILLED, type ExitReason } from '../actors/ground/exit-reason.ts';
import type {
  Child,
  ChildFact,
  LifecycleState,
  LifePorts,
  Shutdown,
  StartOrder,
} from '../actors/lifecycle/child.ts';
import { nameText, type NameHolder } from '../actors/lifecycle/names.ts';
import { Incarnation, type ActorEvent, type ActorRef } from '../actors/lifecycle/ref.ts';
import { createRoot } from '../actors/lifecycle/root.ts';
import { DOWN, epochOf, lifeOf, refOf, type Row } from './child-row.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import type { ChildOrder } from './restart-groups.ts';
import type { Message } from './supervisor-mailbox.ts';
import type { SupervisorCall } from './supervisor-call.ts';
import type { FullSupervisorFlags } from './supervisor-flags.ts';
import { SupervisorError } from './supervision-errors.ts';
import { carriedOut } from './supervisor-verdicts.ts';
import { partsOf, type SupervisorParts } from './supervisor-parts.ts';
import { machineWith } from './supervisor-orders.ts';
import {
  lifecycleStateOf,
  type supervisorMachine,
  type SupervisorSnapshot,
} from './supervisor.machine.ts';
import { viewOf, type SupervisorView } from './supervisor-view.ts';

/** The one state in which a message is taken. */
const FREE = { running: 'waiting' } as const;

/**
 * A supervisor: starts its children in order, judges how they end, restarts by its strategy within its intensity, and beyond it stops all in reverse order and ends with `shutdown`.
 * Facts of children are taken as they come; ends, calls and retries wait until what is under way is done, as messages do in OTP's.
 */
export class Supervisor implements Child {
  static readonly #all = new WeakMap<ActorRef, Supervisor>();
  readonly id: string;
  readonly kind = 'supervisor';
  readonly epoch: number;
  readonly pid = undefined;
  readonly flags: FullSupervisorFlags;
  readonly #order: StartOrder;
  readonly #ports: LifePorts;
  readonly #actor: Actor<typeof supervisorMachine>;
  readonly #parts: SupervisorParts;
  readonly #ref: Incarnation;
  readonly #orders: (() => void)[] = [];
  /** When whoever asked it to stop wants it over: the earliest counts. */
  readonly #bounds: TimerId[] = [];
  readonly #holder: NameHolder = () => this.#ref;
  #told: LifecycleState = 'spawning';
  #failure: Error | undefined;

  constructor(order: StartOrder, flags: FullSupervisorFlags, ports: LifePorts) {
    this.id = order.id;
    this.epoch = order.epoch;
    this.#order = order;
    this.flags = flags;
    this.#ports = ports;
    // It understands no events: OTP's supervisor logs an unexpected message and goes on.
    const drop = (event: ActorEvent): void => this.#ref.drop(event);
    this.#ref = new Incarnation(order, ports, drop, (reason) => this.stop('infinity', reason));
    this.#claimName();
    Supervisor.#all.set(this.#ref, this);
    this.#parts = partsOf(order.path, flags, ports, {
      onFact: (row, fact) => this.#onFact(row, fact),
      onMessage: (message) => this.#onMessage(message),
      isFree: () => this.#failure === undefined && this.#actor.getSnapshot().matches(FREE),
      onThrown: (cause) => this.#onThrown(cause),
    });
    const orders = carriedOut(this.#parts, flags, {
      send: (event) => this.#actor.send(event),
      history: () => this.#actor.getSnapshot().context.history,
    });
    this.#actor = createRoot(machineWith(orders, this.#orders), {
      id: order.path,
      clock: ports.clock,
      input: { bounds: flags },
      onSnapshot: (snapshot) => this.#onSnapshot(snapshot),
      onError: (error) => this.#onFailure(error),
    });
    this.#order.begun?.(this);
    this.#parts.mailbox.now(() => this.#actor.start());
  }

  /** Whose reference this is, if it is a supervisor's. */
  static of(ref: ActorRef): Supervisor | undefined {
    return Supervisor.#all.get(ref);
  }

  get state(): LifecycleState {
    if (this.#failure === undefined) return lifecycleStateOf(this.#actor.getSnapshot());
    return this.#told === 'stopped' ? 'stopped' : 'stopping';
  }

  get ref(): ActorRef {
    return this.#ref;
  }

  children(): readonly Child[] {
    return [...this.#parts.rows.values()].flatMap((row) => lifeOf(row) ?? []);
  }

  /** What it looks like now, without waiting for anything under way: for people. */
  view(): SupervisorView {
    const snapshot = this.#actor.getSnapshot();
    const { history } = snapshot.context;
    return viewOf(this.#order.path, this.flags, this.state, history, this.#parts.rows);
  }

  restart(): void {
    // A supervisor that ended is started anew as another lifecycle; there is nothing to restart in this one.
  }

  stop(shutdown: Shutdown, reason: ExitReason): void {
    if (this.state === 'stopped') return;
    const hasten = (): void => {
      this.#parts.mailbox.now(() => {
        this.#parts.walk.hasten();
        this.#parts.rows.hasten();
      });
    };
    if (shutdown === 'brutal_kill') hasten();
    else if (shutdown !== 'infinity') {
      this.#bounds.push(this.#ports.clock.setTimeout(hasten, shutdown));
    }
    // What was left of it may have ended by that.
    if (this.#failure !== undefined || this.#told === 'stopped') return;
    this.#parts.mailbox.now(() => this.#actor.send({ type: 'supervisor.stop', reason }));
  }

  /** Serve a call of the API: when its turn has come, behind whatever came before. It is always answered. */
  serve(call: SupervisorCall): void {
    if (this.state === 'stopped' || this.state === 'stopping')
      this.#parts.calls.refuse(call, 'noproc');
    else this.#parts.mailbox.post({ type: 'call', call: this.#parts.calls.hurry(call) });
  }

  /** As {@link orderChild}. */
  replaceChild(id: string, epoch: number, because: string): void {
    this.orderChild(id, { type: 'replace', epoch, because });
  }

  /** What the runtime itself orders of one child, beside whatever is under way. Ignored when the child is not there, or the supervisor is not running. */
  orderChild(id: string, order: ChildOrder): void {
    const row = this.#parts.rows.get(id);
    const snapshot = this.#actor.getSnapshot();
    if (row !== undefined && snapshot.matches('running'))
      this.#parts.groups.carryOut(row, order, snapshot.context.history.length);
  }

  /** As OTP's `register`, before its init. @throws {@link SupervisorError} when another that lives has the name. */
  #claimName(): void {
    const { name } = this.flags;
    const ref = name === undefined ? undefined : this.#ports.names.claim(name, this.#holder);
    if (ref === undefined) return;
    throw new SupervisorError('already_started', this.#order.path, {
      ...{ op: 'start', child: name === undefined ? name : nameText(name), ref },
    });
  }

  #onMessage(message: Message): void {
    const nowMs = this.#ports.clock.nowMs();
    switch (message.type) {
      case 'exit': {
        const { row, epoch } = message;
        // Consumed meanwhile: a group restart or a call found it dead and took its end for what it was.
        if (row.standing.type !== 'up' || epochOf(row) !== epoch) return;
        // It never became ready.
        if (row.lastRef !== refOf(row)) row.startFailuresCount += 1;
        const facts = this.#parts.rows.exitFacts(row, nowMs);
        if (facts.isReported) this.#parts.reports.report('child_terminated', row.lastReason, row);
        this.#actor.send({ type: 'child.exited', key: row.key, facts });
        return;
      }
      case 'retry':
      case 'due': {
        const { row, epoch, type } = message;
        if (row.standing.type !== 'restarting' || epochOf(row) !== epoch) return;
        const { key } = row;
        const tried = { type: 'child.retried', key } as const;
        this.#actor.send(
          type === 'due'
            ? { type: 'child.due', key }
            : { ...tried, facts: this.#parts.rows.tryFacts(row, nowMs) },
        );
        return;
      }
      case 'call': {
        const { call } = message;
        const work = this.#parts.calls.serve(call);
        if (work === undefined) return;
        this.#actor.send({ type: 'call.received', op: call.op });
        work(() => this.#actor.send({ type: 'call.served' }));
        return;
      }
      default:
        message satisfies never;
    }
  }

  #onThrown(cause: unknown): void {
    this.#actor.stop();
    this.#onFailure(errorFrom(cause));
  }

  #onFact(row: Row, fact: ChildFact): void {
    if (fact.type === 'child.stopped' || fact.type === 'child.ignored')
      this.#parts.rows.gone(row, fact.epoch);
    if (this.#failure !== undefined) {
      if (fact.type === 'child.stopped' && fact.epoch === epochOf(row)) row.standing = DOWN;
      this.#finishFailure();
      return;
    }
    // From a lifecycle that is let go of, or from an old incarnation: told too late to matter.
    if (!this.#parts.rows.isCurrent(row, fact)) return;
    switch (fact.type) {
      case 'child.ready':
        this.#parts.rows.ready(row, fact.info);
        this.#parts.reports.progress(row, this.#parts.calls.isServing ? 'debug' : 'info');
        this.#parts.walk.onAcknowledged(row);
        return;
      case 'child.ignored':
        this.#parts.rows.ignored(row);
        this.#parts.walk.onAcknowledged(row);
        return;
      case 'child.unavailable':
        return;
      case 'child.crashed':
        this.#onEnd(row, fact.report.reason, fact.epoch);
        return;
      case 'child.stopped':
        if (!this.#parts.groups.onOrderedEnd(row, fact.reason))
          this.#onEnd(row, fact.reason, fact.epoch);
        return;
      default:
        fact satisfies never;
    }
  }

  #onEnd(row: Row, reason: ExitReason, epoch: number): void {
    row.lastReason = reason;
    this.#parts.rows.settled(row);
    if (!this.#parts.walk.onEnd(row, reason))
      this.#parts.mailbox.post({ type: 'exit', row, epoch });
  }

  #onSnapshot(snapshot: SupervisorSnapshot): void {
    const state = lifecycleStateOf(snapshot);
    const before = this.#told;
    if (state !== 'stopped') this.#told = state;
    for (const carryOut of this.#orders.splice(0)) carryOut();
    if (state === before) return;
    if (state === 'ready') {
      this.#order.listener({ type: 'child.ready', id: this.id, epoch: this.epoch });
    } else if (state === 'stopped') {
      this.#tellStopped(this.#parts.walk.isHastened ? KILLED : snapshot.context.reason);
    }
  }

  #tellStopped(reason: ExitReason): void {
    if (this.#told === 'stopped') return;
    this.#told = 'stopped';
    for (const bound of this.#bounds) this.#ports.clock.clearTimeout(bound);
    for (const message of this.#parts.mailbox.clear()) {
      if (message.type === 'call') this.#parts.calls.refuse(message.call, 'noproc');
    }
    this.#parts.calls.end();
    this.#parts.rows.end();
    this.#parts.reports.stopped(reason);
    if (this.flags.name !== undefined) this.#ports.names.release(this.flags.name, this.#holder);
    this.#ref.end(reason);
    this.#order.listener({ type: 'child.stopped', id: this.id, epoch: this.epoch, reason });
  }

  /** The machine threw, or an order of it: XState would leave the subtree running. It is stopped first, then the parent hears. */
  #onFailure(error: Error): void {
    this.#failure ??= error;
    this.#parts.rows.disarm();
    this.#parts.rows.killAll();
    this.#finishFailure();
  }

  #finishFailure(): void {
    if (this.#failure === undefined || this.children().length > 0) return;
    const reason: ExitReason = { type: 'error', error: this.#failure };
    this.#parts.rows.whenAllGone(() => this.#tellStopped(reason));
  }
}
