// What does each verdict of the supervisor's machine mean for its children? The orders, carried out.
import { SHUTDOWN } from '../actors/ground/exit-reason.ts';
import { isRunning, type Row } from './child-row.ts';
import type { GiveUpCause } from './restart-policy.ts';
import type { FullSupervisorFlags } from './supervisor-flags.ts';
import type { Orders } from './supervisor-orders.ts';
import type { SupervisorParts } from './supervisor-parts.ts';
import type { SupervisorEvent } from './supervisor.machine.ts';

/** The machine, as those who carry out its orders see it. */
export interface MachineLine {
  readonly send: (event: SupervisorEvent) => void;
  /** Times of the restarts that count, newest first. */
  readonly history: () => readonly number[];
}

type Settled = 'keep_down' | 'remove';

export function carriedOut(
  parts: SupervisorParts,
  flags: FullSupervisorFlags,
  machine: MachineLine,
): Orders {
  const { rows, walk, groups } = parts;
  const restarted = (): void => machine.send({ type: 'group.restarted' });
  const settle = (key: string, what: Settled, verdict: Settled | 'auto_shutdown'): void => {
    const row = rows.need(key);
    const because =
      verdict === 'auto_shutdown'
        ? `autoShutdown ${flags.autoShutdown}: the child is significant`
        : `restart type ${row.spec.restart}`;
    const restartsInWindow = machine.history().length;
    const stops = verdict === 'auto_shutdown' ? othersOf(parts, row) : [];
    parts.reports.decided(row, { verdict, because, restartsInWindow, stops });
    rows.release(row);
    // Who has no id could never be started again: OTP forgets the children of a simple_one_for_one.
    if (what === 'remove' || rows.byRef) rows.delete(row);
  };
  return {
    startChildren: () => startChildren(parts, machine),
    stopChildren: () => {
      rows.disarm();
      parts.reports.gather();
      walk.stop([...rows.values()], () => {
        parts.reports.tellGathered();
        rows.whenAllGone(() => machine.send({ type: 'children.stopped' }));
      });
    },
    restartGroup: ({ key, history }) => groups.restart(rows.need(key), history, restarted),
    startGroup: ({ key }) => groups.startDue(rows.need(key), restarted),
    keepChildDown: ({ key }) => settle(key, 'keep_down', 'keep_down'),
    removeChild: ({ key }) => settle(key, 'remove', 'remove'),
    shutDownWith: ({ key, row }) => settle(key, row, 'auto_shutdown'),
    giveUpOn: ({ key, because }) => giveUp(parts, flags, machine, rows.need(key), because),
  };
}

function startChildren(parts: SupervisorParts, machine: MachineLine): void {
  const { rows, walk, reports } = parts;
  walk.start([...rows.values()], (outcome) => {
    if (outcome.type === 'started') {
      machine.send({ type: 'children.started' });
      return;
    }
    const { row } = outcome;
    const reason = outcome.type === 'failed' ? outcome.reason : SHUTDOWN;
    row.lastReason = reason;
    reports.report('start_error', reason, row);
    reports.decided(row, {
      verdict: 'start_failed',
      because: outcome.type === 'failed' ? 'a child did not start' : 'its start was called off',
      restartsInWindow: machine.history().length,
      stops: othersOf(parts, row),
    });
    rows.release(row);
    const detail = { failed_to_start_child: row.id, reason };
    machine.send({ type: 'children.start_failed', reason: { type: 'shutdown', detail } });
  });
}

function giveUp(
  parts: SupervisorParts,
  flags: FullSupervisorFlags,
  machine: MachineLine,
  row: Row,
  because: GiveUpCause,
): void {
  const { rows, reports } = parts;
  reports.report('shutdown', because, row);
  const restartsInWindow = machine.history().length;
  const stops = othersOf(parts, row);
  reports.decided(row, { verdict: 'give_up', because, restartsInWindow, stops });
  flags.onGiveUp?.(because, row.lastReason);
  rows.release(row);
}

/** Whoever is stopped with the supervisor, in that order. */
function othersOf({ rows }: SupervisorParts, row: Row): readonly string[] {
  return [...rows.values()]
    .filter((other) => other !== row && isRunning(other))
    .map(({ key }) => key)
    .reverse();
}
