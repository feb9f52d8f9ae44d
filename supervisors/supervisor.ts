// Who holds the children, in which order do they start and stop, and who carries out the verdicts? The shell around the supervisor's machine.
import type { Actor, SnapshotFrom } from 'xstate';

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
  isCurrent,
  rowsOf,
  startLife,
  takeEpoch,
  takeReplacement,
  tellDecision,
  type Row,
  type Verdict,
} from './child-row.ts';
import { intensityOf, type SupervisorFlags, type SupervisorPorts } from './supervisor-flags.ts';
import { machineWith, type Orders } from './supervisor-orders.ts';
import type { supervisorMachine } from './supervisor.machine.ts';
import { lifecycleStateOf } from './supervisor.machine.ts';

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
  /** The row whose end or whose readiness the walk through the children waits for. */
  #awaited: Row | undefined;
  #toStart: readonly Row[] = [];
  #toStop: Row[] = [];
  #stopWith: Shutdown | undefined;
  #told: LifecycleState = 'spawning';
  #failure: Error | undefined;
  readonly #orders: (() => void)[] = [];

  constructor(start: Parameters<ChildStart>[0], flags: SupervisorFlags, ports: SupervisorPorts) {
    this.id = start.id;
    this.epoch = start.epoch;
    this.#start = start;
    this.#flags = flags;
    this.#ports = ports;
    this.#rows = rowsOf(flags.children);
    this.#actor = createRoot(machineWith(this.#carriesOut(), this.#orders), {
      id: start.path,
      clock: ports.clock,
      input: {
        intensity: intensityOf(flags),
      },
      onError: (error) => {
        this.#onMachineError(error);
      },
    });
    this.#actor.subscribe((snapshot) => {
      this.#onSnapshot(snapshot);
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
    if (shutdown === 'brutal_kill') this.#stopWith = shutdown;
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
    row.life.stop('brutal_kill', SHUTDOWN);
  }

  #carriesOut(): Orders {
    return {
      startChildren: () => {
        this.#startFrom([...this.#rows.values()]);
      },
      restartChild: ({ id, history }) => {
        this.#restart(this.#row(id), history);
      },
      keepChildDown: ({ id }) => {
        this.#settleDown(id, 'keep_down');
      },
      removeChild: ({ id }) => {
        this.#settleDown(id, 'remove');
        this.#rows.delete(id);
      },
      giveUpOn: ({ id, because }) => {
        const row = this.#row(id);
        this.#tellDecision(row, 'give_up', because, row.lastReason);
        this.#flags.onGiveUp?.(because, row.lastReason);
      },
      stopChildren: () => {
        this.#awaited = undefined;
        this.#toStop = [...this.#rows.values()];
        this.#stopNext();
      },
    };
  }

  #row(id: string): Row {
    const row = this.#rows.get(id);
    if (row === undefined) throw new Error(`supervisor has no child ${id}`);
    return row;
  }

  /** Start in order; each must be acknowledged before the next begins. */
  #startFrom(rows: readonly Row[]): void {
    for (const [index, row] of rows.entries()) {
      try {
        this.#startLife(row);
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause));
        this.#actor.send({
          type: 'children.start_failed',
          id: row.spec.id,
          reason: { type: 'error', error },
        });
        return;
      }
      if (row.spec.ack === 'ready') {
        this.#awaited = row;
        this.#toStart = rows.slice(index + 1);
        return;
      }
    }
    this.#actor.send({ type: 'children.started' });
  }
  #startLife(row: Row): void {
    startLife(row, this.#start.path, (fact) => {
      this.#onFact(row, fact);
    });
  }

  #onFact(row: Row, fact: ChildFact): void {
    // From a row that is gone, or from an incarnation that is: told too late to matter.
    if (this.#rows.get(row.spec.id) !== row || !isCurrent(row, fact)) return;
    switch (fact.type) {
      case 'child.ready':
        row.startFailuresCount = 0;
        if (this.#awaited === row) {
          this.#awaited = undefined;
          this.#startFrom(this.#toStart);
        }
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
          return;
        }
        this.#onEnd(row, fact.reason);
        return;
      default:
        fact satisfies never;
    }
  }

  #onEnd(row: Row, reason: ExitReason): void {
    row.lastReason = reason;
    const snapshot = this.#actor.getSnapshot();
    if (this.#failure !== undefined) {
      this.#finishFailure();
    } else if (this.#awaited === row && snapshot.matches('starting')) {
      this.#awaited = undefined;
      this.#actor.send({ type: 'children.start_failed', id: row.spec.id, reason });
    } else if (snapshot.matches('stopping')) {
      if (this.#awaited === row && row.life === undefined) this.#stopNext();
    } else {
      this.#actor.send({
        type: 'child.crashed',
        id: row.spec.id,
        facts: {
          restart: row.spec.restart,
          reason,
          startFailuresCount: row.startFailuresCount,
          maxConsecutiveStartFailures: row.spec.maxConsecutiveStartFailures,
          nowMs: this.#ports.clock.nowMs(),
        },
      });
    }
  }

  #restart(row: Row, history: readonly number[]): void {
    const { bus } = this.#ports;
    const reason = row.lastReason;
    const because = 'within the restart intensity';
    tellDecision(bus, this.#start.path, row, { verdict: 'restart', because, reason, history });
    if (row.life === undefined) this.#startLife(row);
    else row.life.restart(takeEpoch(row), 0);
  }

  #settleDown(id: string, verdict: 'keep_down' | 'remove'): void {
    const row = this.#row(id);
    this.#tellDecision(row, verdict, `restart type ${row.spec.restart}`, row.lastReason);
    row.life?.stop('brutal_kill', row.lastReason);
    row.life = undefined;
  }

  #startReplacement(row: Row): void {
    const delayMs = takeReplacement(row, this.#ports.clock.nowMs());
    if (delayMs === 0) {
      this.#startLife(row);
      return;
    }
    row.timer = this.#ports.clock.setTimeout(() => {
      this.#startLife(row);
    }, delayMs);
  }

  /** Stop in reverse start order, one at a time. */
  #stopNext(): void {
    for (let row = this.#toStop.pop(); row !== undefined; row = this.#toStop.pop()) {
      this.#ports.clock.clearTimeout(row.timer);
      if (row.life === undefined) continue;
      this.#awaited = row;
      row.life.stop(this.#stopWith ?? row.spec.shutdown, SHUTDOWN);
      return;
    }
    this.#actor.send({ type: 'children.stopped' });
  }

  #tellDecision(row: Row, verdict: Verdict, because: string, reason: ExitReason): void {
    const { history } = this.#actor.getSnapshot().context;
    tellDecision(this.#ports.bus, this.#start.path, row, { verdict, because, reason, history });
  }

  #onSnapshot(snapshot: SnapshotFrom<typeof supervisorMachine>): void {
    const state = lifecycleStateOf(snapshot);
    const before = this.#told;
    this.#told = state;
    for (const carryOut of this.#orders.splice(0)) carryOut();
    if (state === before) return;
    if (state === 'ready') {
      this.#start.listener({ type: 'child.ready', id: this.id, epoch: this.epoch });
    } else if (state === 'stopped') {
      this.#tellStopped(snapshot.context.reason);
    }
  }

  #tellStopped(reason: ExitReason): void {
    this.#ports.bus.emit('supervisor.stopped', { supervisor: this.#start.path, reason });
    this.#start.listener({ type: 'child.stopped', id: this.id, epoch: this.epoch, reason });
  }

  /** The machine threw: XState would leave the subtree running. It is stopped first, then the parent hears. */
  #onMachineError(error: Error): void {
    this.#failure = error;
    for (const row of this.#rows.values()) {
      this.#ports.clock.clearTimeout(row.timer);
      row.life?.stop('brutal_kill', SHUTDOWN);
    }
    this.#finishFailure();
  }

  #finishFailure(): void {
    if (this.#failure === undefined || this.children().length > 0) return;
    this.#tellStopped({ type: 'error', error: this.#failure });
  }
}
