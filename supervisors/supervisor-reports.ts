// What does a supervisor say of what it does? Every decision, report and progress as one event, with OTP's fields.
import type { Bus } from '../actors/ground/bus.ts';
import { isAbnormal, type ExitReason } from '../actors/ground/exit-reason.ts';
import type {
  ErrorContext,
  NextStep,
  Offender,
  SupervisorDecision,
  SupervisorReport,
} from '../actors/ground/supervision-facts.ts';
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import { epochOf, refOf, type Row } from './child-row.ts';
import { isShutdownError } from './shutdown-report.ts';
import { isByRef, type FullSupervisorFlags } from './supervisor-flags.ts';

type Decision = Pick<SupervisorDecision, 'verdict' | 'because' | 'restartsInWindow'> &
  Partial<Pick<SupervisorDecision, 'stops' | 'starts' | 'delayMs' | 'reason'>>;

/** Children that ended in the same wrong way. */
interface Alike {
  readonly row: Row;
  readonly reason: ExitReason;
  count: number;
}

/** The voice of one supervisor. */
export class SupervisorReports {
  readonly #bus: Bus;
  readonly #path: string;
  readonly #flags: FullSupervisorFlags;
  /** While all children of a simple_one_for_one are stopped: those that end in the wrong way, by their reason. */
  #gathered: Map<string, Alike> | undefined;

  constructor(bus: Bus, path: string, flags: FullSupervisorFlags) {
    this.#bus = bus;
    this.#path = path;
    this.#flags = flags;
  }

  decided(row: Row, decision: Decision): void {
    const { strategy, maxRestarts, periodMs } = this.#flags;
    const errorContext = contextOf(row, decision);
    this.#bus.emit('supervisor.decided', {
      supervisor: this.#path,
      ...{ strategy, maxRestarts, periodMs },
      child: row.key,
      epoch: epochOf(row),
      errorContext,
      offender: this.#offender(row, errorContext),
      reason: row.lastReason,
      ...{ stops: [], starts: [], delayMs: 0 },
      ...decision,
      next: nextOf(decision),
    });
  }

  report(errorContext: ErrorContext, reason: SupervisorReport['reason'], row: Row): void {
    const supervisor = this.#path;
    const offender = this.#offender(row, errorContext);
    this.#bus.emit('supervisor.reported', { supervisor, errorContext, reason, offender });
  }

  /** OTP's progress report of a child that has started; the children of a simple_one_for_one make none. */
  progress(row: Row, level: 'info' | 'debug'): void {
    if (isByRef(this.#flags)) return;
    const started = this.#offender(row, undefined);
    this.#bus.emit('supervisor.progress', { supervisor: this.#path, level, started });
  }

  /** A child that was told to end has: reported if it did so in the wrong way. */
  ended(row: Row, reason: ExitReason): void {
    const { shutdown, restart } = row.spec;
    const flavour = this.#flags.flavour ?? 'static';
    if (!isShutdownError(reason, shutdown, restart, flavour)) return;
    if (this.#gathered === undefined) {
      this.report('shutdown_error', reason, row);
      return;
    }
    const shape = shapeOf(reason);
    const alike = this.#gathered.get(shape);
    if (alike === undefined) this.#gathered.set(shape, { row, reason, count: 1 });
    else alike.count += 1;
  }

  /** All children are about to be stopped: OTP sums up those of a simple_one_for_one, of which there may be thousands. */
  gather(): void {
    if (this.#flags.strategy === 'simple_one_for_one') this.#gathered = new Map();
  }

  /** They have stopped: one report for each reason, with the number of those that ended so. */
  tellGathered(): void {
    const gathered = this.#gathered;
    this.#gathered = undefined;
    for (const { row, reason, count } of gathered?.values() ?? []) {
      const { restart, significant, shutdown, type } = row.spec;
      const offender = { pid: undefined, id: row.spec.id, path: undefined, nbChildren: count };
      this.#bus.emit('supervisor.reported', {
        ...{ supervisor: this.#path, errorContext: 'shutdown_error', reason },
        offender: { ...offender, restart, significant, shutdown, type },
      });
    }
  }

  stopped(reason: ExitReason): void {
    this.#bus.emit('supervisor.stopped', { supervisor: this.#path, reason });
  }

  #offender(row: Row, context: ErrorContext | undefined): Offender {
    const { restart, significant, shutdown, type } = row.spec;
    const parent = this.#flags.childPath ?? this.#path;
    const path = parent === '' ? row.key : `${parent}/${row.key}`;
    const id = this.#flags.flavour === 'dynamic' ? undefined : row.spec.id;
    return {
      pid: this.#pid(row, path, context),
      ...{ id, path, restart, significant, shutdown, type },
    };
  }

  #pid(row: Row, path: string, context: ErrorContext | undefined): string | undefined {
    const { strategy } = this.#flags;
    switch (context) {
      case 'start_error':
        // OTP: of a single child whoever was up before it; a group has been stopped by then, and its rows hold nobody.
        return strategy === 'one_for_one' || strategy === 'simple_one_for_one'
          ? textOf(row.lastRef)
          : undefined;
      case 'shutdown':
        return textOf(refOf(row));
      case 'child_terminated':
      case 'shutdown_error':
      case undefined:
        // Not of what the row holds, which may have been let go of.
        return `${path}#${epochOf(row)}`;
      default:
        return context satisfies never;
    }
  }
}

function textOf(ref: ActorRef | undefined): string | undefined {
  return ref === undefined ? undefined : `${ref.path}#${ref.epoch}`;
}

/** Reasons are compared by shape; of errors that is what they say. */
function shapeOf(reason: ExitReason): string {
  if (reason.type === 'error') return `error ${reason.error.name} ${reason.error.message}`;
  try {
    return JSON.stringify(reason);
  } catch {
    // A detail that holds itself, or a bigint: such ones are told together.
    return reason.type;
  }
}

function contextOf(row: Row, { verdict }: Decision): ErrorContext | undefined {
  switch (verdict) {
    case 'restart':
      return row.standing.type === 'restarting' ? 'start_error' : 'child_terminated';
    case 'start_failed':
      return 'start_error';
    case 'give_up':
      return 'shutdown';
    case 'remove':
    case 'auto_shutdown':
      return isAbnormal(row.lastReason) ? 'child_terminated' : undefined;
    case 'keep_down':
    case 'replace':
    case 'start_aborted':
      return undefined;
    default:
      return verdict satisfies never;
  }
}

function nextOf({ verdict, delayMs = 0 }: Decision): NextStep {
  switch (verdict) {
    case 'restart':
      return delayMs > 0 ? 'start_after_delay' : 'start';
    case 'replace':
      return 'start';
    case 'keep_down':
    case 'start_aborted':
      return 'stay_down';
    case 'remove':
      return 'forget';
    case 'auto_shutdown':
    case 'give_up':
    case 'start_failed':
      return 'end';
    default:
      return verdict satisfies never;
  }
}
