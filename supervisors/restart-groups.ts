// How is a restart carried out? Stop the group, wait for the back-off, start the group; a start that fails is tried again through the mailbox.
import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import type { Child, LifePorts, Shutdown } from '../actors/lifecycle/child.ts';
import { backoffDelayMs, restartsInRow } from './backoff.ts';
import { DOWN, epochOf, isRunning, lifeOf, refOf, takeReplacement, type Row } from './child-row.ts';
import type { ChildRows } from './child-rows.ts';
import type { RestartType } from './child-spec.ts';
import type { ChildWalk, StartOutcome } from './child-walk.ts';
import { blastOf, type Blast } from './strategy.ts';
import type { FullSupervisorFlags } from './supervisor-flags.ts';
import type { SupervisorReports } from './supervisor-reports.ts';

/** What is ordered of one child by whoever made its supervisor. None of it spends the restart budget. */
export type ChildOrder =
  /**
   * Kill it and start its next incarnation, as `terminateChild` and `restartChild` would. Ignored when it is not of `epoch` any more, or temporary.
   */
  | { readonly type: 'replace'; readonly epoch: number; readonly because: string }
  /**
   * Stop it within `shutdown` and forget it, as `terminateChild` and `deleteChild` would, but nobody waits for its end. Whatever ends it meanwhile, it is not restarted.
   * A second order counts only when it is `brutal_kill`. One whose start or end is awaited is left to whoever waits.
   * Of a supervisor that is `one_for_one`: a group that is being restarted would miss its member.
   */
  | { readonly type: 'remove'; readonly shutdown: Shutdown; readonly because: string }
  /** Its ends are judged by this type from now on. */
  | { readonly type: 'adopt'; readonly restart: RestartType };

export interface GroupParts {
  readonly flags: FullSupervisorFlags;
  readonly rows: ChildRows;
  readonly walk: ChildWalk;
  readonly reports: SupervisorReports;
  readonly ports: LifePorts;
  /** `retry`: judged and counted like any restart; `due`: its back-off is over, it was counted before. */
  readonly post: (type: 'retry' | 'due', row: Row) => void;
  /** Act as part of a turn of the supervisor. */
  readonly now: (act: () => void) => void;
}

/** The restarts of one supervisor. One at a time: its machine sees to that. */
export class RestartGroups {
  readonly #parts: GroupParts;
  /** As of the last restart. */
  #restartsInWindow = 0;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  /** Restart this child and whoever its strategy takes along. @param history restarts that count, this one included. */
  restart(row: Row, history: readonly number[], done: () => void): void {
    const { rows, walk, reports } = this.#parts;
    const blast = this.#blast(row);
    const delayMs = this.#takeDelay(row);
    row.restartsCount += 1;
    this.#restartsInWindow = history.length;
    reports.decided(row, {
      verdict: 'restart',
      because:
        row.standing.type === 'restarting'
          ? 'the start before failed'
          : 'within the restart intensity',
      restartsInWindow: history.length,
      stops: blast.stop.filter((key) => isRunning(rows.need(key))).reverse(),
      starts: blast.start,
      delayMs,
    });
    walk.stop(rowsOf(rows, blast.stop), () => {
      for (const bystander of rowsOf(rows, blast.remove)) rows.delete(bystander);
      if (delayMs === 0) this.#start(row, blast.start, done);
      else this.#wait(row, delayMs, done);
    });
  }

  /** The back-off is over: start the group as it is now. */
  startDue(row: Row, done: () => void): void {
    const { rows, walk } = this.#parts;
    const blast = this.#blast(row);
    // Started for a caller meanwhile: a group comes up together.
    walk.stop(rowsOf(rows, blast.stop), () => this.#start(row, blast.start, done));
  }

  carryOut(row: Row, order: ChildOrder, restartsInWindow: number): void {
    switch (order.type) {
      case 'replace':
        this.#orderReplacement(row, order, restartsInWindow);
        return;
      case 'remove':
        this.#orderRemoval(row, order, restartsInWindow);
        return;
      case 'adopt':
        row.spec = { ...row.spec, restart: order.restart };
        return;
      default:
        order satisfies never;
    }
  }

  /** A child has stopped. @returns whether that was ordered here; whoever else stops it meanwhile (a call, a group) has the say, and its end is theirs. */
  onOrderedEnd(row: Row, reason: ExitReason): boolean {
    const { rows, walk, reports } = this.#parts;
    if (row.order === 'none' || walk.isAwaiting(row)) return false;
    if (row.order === 'replace') {
      this.replace(row);
      return true;
    }
    row.lastReason = reason;
    row.standing = DOWN;
    rows.settled(row);
    reports.ended(row, reason);
    rows.delete(row);
    return true;
  }

  /** Start the next incarnation of a child that the runtime itself had killed; at its own rate, beside everything else. */
  replace(row: Row): void {
    const { rows, ports } = this.#parts;
    const { clock } = ports;
    // Killed before it was ready: else it waited for its turn behind itself.
    rows.settled(row);
    const start = (): void => {
      try {
        rows.launch(row);
        const life = lifeOf(row);
        if (row.standing.type === 'starting' && life !== undefined)
          row.standing = { type: 'up', life };
      } catch (cause) {
        this.launchFailed(row, cause);
      }
    };
    const delayMs = takeReplacement(row, clock.nowMs());
    // To everybody else it is as one whose back-off is not over: it cannot be started beside this, and terminating it calls this off.
    row.standing = { type: 'restarting', life: undefined, ref: row.lastRef };
    if (delayMs === 0) start();
    else row.timer = clock.setTimeout(() => this.#parts.now(start), delayMs);
  }

  /** A launch that nobody waits for threw: one more start that failed. */
  launchFailed(row: Row, cause: unknown): void {
    this.#failed(row, {
      type: 'error',
      error: errorFrom(cause),
    });
  }

  #orderReplacement(row: Row, order: OrderOf<'replace'>, restartsInWindow: number): void {
    const { standing, spec } = row;
    if (standing.type !== 'up' || row.order !== 'none' || spec.restart === 'temporary') return;
    const { life } = standing;
    const { because } = order;
    if (life.epoch !== order.epoch || !isToBeStopped(life)) return;
    row.order = 'replace';
    this.#parts.reports.decided(row, {
      ...{ verdict: 'replace', because, restartsInWindow },
      ...{ reason: { type: 'timeout', what: because }, stops: [row.key], starts: [row.key] },
    });
    this.#parts.now(() => life.stop('brutal_kill', SHUTDOWN));
  }

  #orderRemoval(row: Row, order: OrderOf<'remove'>, restartsInWindow: number): void {
    const { rows, walk, reports, now } = this.#parts;
    if (walk.isAwaiting(row)) return;
    const { because, shutdown } = order;
    const stops = isRunning(row) ? [row.key] : [];
    const decision = { verdict: 'remove', because, restartsInWindow, stops } as const;
    if (row.order !== 'remove') reports.decided(row, { ...decision, reason: SHUTDOWN });
    row.spec = { ...row.spec, restart: 'temporary' };
    const { standing } = row;
    if (standing.type === 'up' && isToBeStopped(standing.life)) {
      row.order = 'remove';
      now(() => standing.life.stop(shutdown, SHUTDOWN));
      return;
    }
    now(() => {
      rows.release(row);
      rows.delete(row);
    });
  }

  #start(restarted: Row, keys: readonly string[], done: () => void): void {
    const { rows, walk } = this.#parts;
    const epoch = epochOf(restarted);
    walk.start(rowsOf(rows, keys), (outcome) => {
      // OTP has no process for it from the moment of its end: where another one's start fails first, it is down. Not so where its own came before that: an end of it is still to be judged.
      const isReached = epochOf(restarted) !== epoch || restarted.standing.type === 'queued';
      if (outcome.type !== 'started' && outcome.row !== restarted && !isReached)
        rows.release(restarted);
      this.#onOutcome(outcome);
      done();
    });
  }

  #onOutcome(outcome: StartOutcome): void {
    switch (outcome.type) {
      case 'started':
        return;
      case 'failed':
        this.#failed(outcome.row, outcome.reason);
        return;
      case 'aborted':
        // `terminateChild`: it stays down, and so do those after it (OTP: terminating ends the loop of restarts).
        this.#parts.reports.decided(outcome.row, {
          verdict: 'start_aborted',
          because: 'terminateChild called off its start',
          restartsInWindow: this.#restartsInWindow,
        });
        this.#parts.rows.release(outcome.row);
        // Who has no id could never be started again.
        if (this.#parts.rows.byRef) this.#parts.rows.delete(outcome.row);
        return;
      default:
        outcome satisfies never;
    }
  }

  #failed(row: Row, reason: Row['lastReason']): void {
    const { reports, ports, post } = this.#parts;
    row.lastReason = reason;
    row.startFailuresCount += 1;
    reports.report('start_error', reason, row);
    const life = lifeOf(row);
    const crashed = life?.state === 'crashed' ? life : undefined;
    row.standing = { type: 'restarting', life: crashed, ref: row.lastRef };
    // By way of the event loop: OTP hands control back to its mailbox before it tries again, and a start that fails at once must not fill a turn.
    ports.clock.afterPoll(() => post('retry', row));
  }

  #wait(row: Row, delayMs: number, done: () => void): void {
    const { ports, post } = this.#parts;
    const life = lifeOf(row);
    const crashed = life?.state === 'crashed' ? life : undefined;
    row.standing = { type: 'restarting', life: crashed, ref: refOf(row) ?? row.lastRef };
    row.timer = ports.clock.setTimeout(() => post('due', row), delayMs);
    done();
  }

  #takeDelay(row: Row): number {
    const { flags, ports } = this.#parts;
    const backoff = row.spec.backoff ?? flags.backoff;
    if (backoff === undefined) return 0;
    const upMs = row.standing.type === 'up' ? ports.clock.nowMs() - row.upSinceMs : 0;
    const before =
      row.startFailuresCount > 0
        ? row.restartsInRow
        : restartsInRow(backoff, row.restartsInRow, upMs);
    row.restartsInRow = before + 1;
    return backoffDelayMs(backoff, before, ports.random);
  }

  #blast(row: Row): Blast {
    const { flags, rows } = this.#parts;
    const { strategy } = flags;
    const isAlone = strategy === 'one_for_one' || strategy === 'simple_one_for_one';
    const members = (isAlone ? [row] : [...rows.values()]).map(({ key, spec }) => ({
      id: key,
      restart: spec.restart,
    }));
    return blastOf(strategy, members, row.key);
  }
}

type OrderOf<Type extends ChildOrder['type']> = Extract<ChildOrder, { readonly type: Type }>;

/** Not what has ended by itself, or is about to: that waits for a verdict, or for nothing. */
function isToBeStopped(life: Child): boolean {
  return life.ref.exitReason === undefined && life.state !== 'crashed';
}

function rowsOf(rows: ChildRows, keys: readonly string[]): readonly Row[] {
  return keys.map((key) => rows.need(key));
}
