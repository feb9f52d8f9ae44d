// What is a supervisor made of? Its mailbox, rows, walk, restarts, calls and reports, joined to each other.
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import type { LifePorts } from '../actors/lifecycle/child.ts';
import { ChildRows } from './child-rows.ts';
import { epochOf, type Row } from './child-row.ts';
import { ChildWalk } from './child-walk.ts';
import { RestartGroups } from './restart-groups.ts';
import { SupervisorCalls } from './supervisor-calls.ts';
import { isByRef, type FullSupervisorFlags } from './supervisor-flags.ts';
import { SupervisorMailbox, type MailboxEnds } from './supervisor-mailbox.ts';
import { SupervisorReports } from './supervisor-reports.ts';

export interface SupervisorParts {
  readonly mailbox: SupervisorMailbox;
  readonly reports: SupervisorReports;
  readonly rows: ChildRows;
  readonly walk: ChildWalk;
  readonly groups: RestartGroups;
  readonly calls: SupervisorCalls;
}

export function partsOf(
  path: string,
  flags: FullSupervisorFlags,
  ports: LifePorts,
  ends: MailboxEnds,
): SupervisorParts {
  const reports = new SupervisorReports(ports.bus, path, flags);
  const mailbox = new SupervisorMailbox(ports.clock, ends);
  const rows = new ChildRows(flags.childPath ?? path, flags, ports, {
    tell: (row, fact) => mailbox.tell(row, fact),
    launchFailed: (row, cause) => groups.launchFailed(row, cause),
  });
  const hands = {
    launch: (row: Row): void => rows.launch(row),
    release: (row: Row): void => rows.release(row),
    ended: (row: Row, reason: ExitReason): void => {
      rows.settled(row);
      reports.ended(row, reason);
    },
  };
  const walk = new ChildWalk(hands, isByRef(flags) ? 'all at once' : 'one at a time');
  const groups: RestartGroups = new RestartGroups({
    ...{ flags, rows, walk, reports, ports },
    post: (type, row) => mailbox.post({ type, row, epoch: epochOf(row) }),
    now: (act) => mailbox.now(act),
  });
  const calls = new SupervisorCalls({ path, flags, rows, walk, reports });
  return { mailbox, reports, rows, walk, groups, calls };
}
