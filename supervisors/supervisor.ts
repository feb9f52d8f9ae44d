// Who holds the children, in which order do they start and stop, and who carries out the verdicts? The shell around the supervisor's machine.
import type { Actor, SnapshotFrom } from 'xstate';

import type { TimerId } from '../actors/ground/clock.ts';
import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import type {
  Child,
  ChildFact,
  ChildStart,
  LifecycleState,
  Shutdown,
} from '../actors/lifecycle/child.ts';
import { createRoot } from '../actors/lifecycle/root.ts';
import {
  crashFacts,
  isCurrent,
  killLives,
  rowOf,
  rowsOf,
  startLife,
  takeEpoch,
  takeReplacement,
  tellDecision,
  type Row,
  type Verdict,
} from './child-row.ts';
import { ChildWalk } from './child-walk.ts';
import { errorFrom } from './error-from.ts';
import { intensityOf, type SupervisorFlags, type SupervisorPorts } from './supervisor-flags.ts';
import { machineWith, type Orders } from './supervisor-orders.ts';
import { lifecycleStateOf, type supervisorMachine } from './supervisor.machine.ts';

/**
 * A one_for_one supervisor. Starts its children in order, restarts what crashes within its intensity, beyond it stops all in reverse order and ends with `shutdown`.
 */
export class Supervisor implements Child {
  readonly id: string;
  readonly kind = 'supervisor';
  readonly epoch: number;
  readonly pid = undefined;
  readonly #start: Parameters<ChildStart>[0];
  readonly #flags: SupervisorFlags;
  readonly #ports: SupervisorPorts;
  readonly #actor: Actor<typeof supervisorMachine>;
  readonly #rows: Map<string, Row>;
  readonly #walk: ChildWalk;
  readonly #orders: (() => void)[] = [];
  /** Ends that came while later siblings were still starting: judged once that is over, as OTP judges what waits in its mailbox. */
  readonly #early = new Map<Row, ExitReason>();
  #told: LifecycleState = 'spawning';
  #failure: Error | undefined;
  #bound: TimerId;

  constructor(start: Parameters<ChildStart>[0], flags: SupervisorFlags, ports: SupervisorPorts) {
    this.id = start.id;
    this.epoch = start.epoch;
    this.#start = start;
    this.#flags = flags;
    this.#ports = ports;
    this.#rows = rowsOf(flags.children);
    this.#walk = new ChildWalk({
      startLife: (row) => {
        this.#startLife(row);
      },
      started: () => {
        this.#actor.send({ type: 'children.started' });
      },
      startFailed: (row, reason) => {
        this.#actor.send({ type: 'children.start_failed', id: row.spec.id, reason });
      },
      stopped: () => {
        this.#actor.send({ type: 'children.stopped' });
      },
    });
    this.#actor = createRoot(machineWith(this.#carriesOut(), this.#orders), {
      id: start.path,
      clock: ports.clock,
      input: { intensity: intensityOf(flags) },
      onSnapshot: (snapshot) => {
        this.#onSnapshot(snapshot);
      },
      onError: (error) => {
        this.#onFailure(error);
      },
    });
    // Not from inside this constructor: a child tells nothing from inside its own start.
    ports.clock.afterPoll(() => {
      this.#actor.start();
    });
  }

  get state(): LifecycleState {
    return this.#failure === undefined ? lifecycleStateOf(this.#actor.getSnapshot()) : 'stopped';
  }

  children(): readonly Child[] {
    return [...this.#rows.values()].flatMap((row) => (row.life === undefined ? [] : [row.life]));
  }

  restart(): void {
    // A supervisor that ended is started anew as another lifecycle; there is nothing to restart in this one.
  }

  stop(shutdown: Shutdown, reason: ExitReason): void {
    if (this.state === 'stopped') return;
    const hasten = (): void => this.#guarded(() => this.#walk.hasten());
    if (shutdown === 'brutal_kill') hasten();
    else if (shutdown !== 'infinity')
      this.#bound ??= this.#ports.clock.setTimeout(hasten, shutdown);
    this.#actor.send({ type: 'supervisor.stop', reason });
  }

  /**
   * Kill a child and start its next incarnation, as `terminateChild` and `restartChild` would. Never spends the restart budget.
   * Ignored when the child is not there, is not of `epoch` any more, or the supervisor is not running.
   */
  replaceChild(id: string, epoch: number, because: string): void {
    const row = this.#rows.get(id);
    if (row?.life?.epoch !== epoch || row.order === 'replace') return;
    if (!this.#actor.getSnapshot().matches('running')) return;
    if (row.life.state === 'crashed' || row.life.state === 'restarting') return;
    row.order = 'replace';
    this.#tellDecision(row, 'replace', because, { type: 'timeout', what: because });
    this.#guarded(() => row.life?.stop('brutal_kill', SHUTDOWN));
  }

  #carriesOut(): Orders {
    return {
      startChildren: () => {
        this.#walk.start([...this.#rows.values()]);
      },
      restartChild: ({ id, history }) => {
        this.#restart(rowOf(this.#rows, id), history);
      },
      keepChildDown: ({ id }) => {
        this.#settleDown(rowOf(this.#rows, id), 'keep_down');
      },
      removeChild: ({ id }) => {
        const row = rowOf(this.#rows, id);
        this.#rows.delete(id);
        this.#settleDown(row, 'remove');
      },
      giveUpOn: ({ id, because }) => {
        const row = rowOf(this.#rows, id);
        this.#tellDecision(row, 'give_up', because, row.lastReason);
        this.#flags.onGiveUp?.(because, row.lastReason);
      },
      stopChildren: () => {
        this.#disarm();
        this.#walk.stop([...this.#rows.values()]);
      },
    };
  }

  #startLife(row: Row): void {
    startLife(row, this.#start.path, (fact) => {
      this.#guarded(() => {
        this.#onFact(row, fact);
      });
    });
  }

  /** What throws under a fact or a timer is a failure of this supervisor, not of the child that told or of the process. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.#actor.stop();
      this.#onFailure(errorFrom(cause));
    }
  }

  #onFact(row: Row, fact: ChildFact): void {
    if (this.#failure !== undefined) {
      if (fact.type === 'child.stopped') row.life = undefined;
      this.#finishFailure();
      return;
    }
    // From a row or a lifecycle that is gone, or from an old incarnation: told too late to matter.
    const isOurs = this.#rows.get(row.spec.id) === row && row.life !== undefined;
    if (!isOurs || !isCurrent(row, fact)) return;
    switch (fact.type) {
      case 'child.ready':
        row.startFailuresCount = 0;
        this.#walk.onReady(row);
        return;
      case 'child.unavailable':
        return;
      case 'child.crashed':
        if (fact.phase === 'starting') row.startFailuresCount += 1;
        this.#onEnd(row, fact.report.reason);
        return;
      case 'child.stopped':
        row.life = undefined;
        if (row.order === 'replace' && this.#actor.getSnapshot().matches('running')) {
          this.#startReplacement(row);
        } else {
          this.#onEnd(row, fact.reason);
        }
        return;
      default:
        fact satisfies never;
    }
  }

  #onEnd(row: Row, reason: ExitReason): void {
    row.lastReason = reason;
    if (this.#walk.onEnd(row, reason)) return;
    const snapshot = this.#actor.getSnapshot();
    if (snapshot.matches('starting')) this.#early.set(row, reason);
    else if (snapshot.matches('running')) this.#judge(row, reason);
  }

  #judge(row: Row, reason: ExitReason): void {
    const facts = crashFacts(row, reason, this.#ports.clock.nowMs());
    this.#actor.send({ type: 'child.crashed', id: row.spec.id, facts });
  }

  #restart(row: Row, history: readonly number[]): void {
    const { bus } = this.#ports;
    const reason = row.lastReason;
    const because = 'within the restart intensity';
    tellDecision(bus, this.#start.path, row, { verdict: 'restart', because, reason, history });
    if (row.life === undefined) this.#startAgain(row);
    else row.life.restart(takeEpoch(row), 0);
  }

  /** A start that throws is a start that failed: counted and judged like any other end. */
  #startAgain(row: Row): void {
    try {
      this.#startLife(row);
    } catch (cause) {
      row.startFailuresCount += 1;
      this.#onEnd(row, { type: 'error', error: errorFrom(cause) });
    }
  }

  /** The lifecycle is let go of first: what it answers is of no interest any more. */
  #settleDown(row: Row, verdict: 'keep_down' | 'remove'): void {
    const { life } = row;
    row.life = undefined;
    this.#tellDecision(row, verdict, `restart type ${row.spec.restart}`, row.lastReason);
    life?.stop('brutal_kill', row.lastReason);
  }

  #startReplacement(row: Row): void {
    const delayMs = takeReplacement(row, this.#ports.clock.nowMs());
    if (delayMs === 0) this.#startAgain(row);
    else {
      row.timer = this.#ports.clock.setTimeout(() => {
        this.#startAgain(row);
      }, delayMs);
    }
  }

  #disarm(): void {
    for (const row of this.#rows.values()) this.#ports.clock.clearTimeout(row.timer);
  }

  #tellDecision(row: Row, verdict: Verdict, because: string, reason: ExitReason): void {
    const { history } = this.#actor.getSnapshot().context;
    tellDecision(this.#ports.bus, this.#start.path, row, { verdict, because, reason, history });
  }

  #onSnapshot(snapshot: SnapshotFrom<typeof supervisorMachine>): void {
    const state = lifecycleStateOf(snapshot);
    const before = this.#told;
    if (state !== 'stopped') this.#told = state;
    for (const carryOut of this.#orders.splice(0)) carryOut();
    if (state === before) return;
    if (state === 'ready') {
      this.#start.listener({ type: 'child.ready', id: this.id, epoch: this.epoch });
      for (const [row, reason] of this.#early) this.#judge(row, reason);
      this.#early.clear();
    } else if (state === 'stopped') {
      this.#tellStopped(snapshot.context.reason);
    }
  }

  #tellStopped(reason: ExitReason): void {
    if (this.#told === 'stopped') return;
    this.#told = 'stopped';
    this.#ports.clock.clearTimeout(this.#bound);
    this.#ports.bus.emit('supervisor.stopped', { supervisor: this.#start.path, reason });
    this.#start.listener({ type: 'child.stopped', id: this.id, epoch: this.epoch, reason });
  }

  /** The machine threw, or an order of it: XState would leave the subtree running. It is stopped first, then the parent hears. */
  #onFailure(error: Error): void {
    this.#failure ??= error;
    this.#disarm();
    killLives(this.#rows.values());
    this.#finishFailure();
  }

  #finishFailure(): void {
    if (this.#failure === undefined || this.children().length > 0) return;
    this.#tellStopped({ type: 'error', error: this.#failure });
  }
}
