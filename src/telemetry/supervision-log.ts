// What does an operator read of the supervision of children? OTP's reports, each decision, and nothing twice.
import type { Logger } from 'pino';

import type { BusEvents } from '../../actors/ground/bus.ts';
import type {
  Offender,
  SupervisorDecision,
  SupervisorReport,
} from '../../actors/ground/supervision-facts.ts';
import { formatReason, formatReport } from '../../supervisors/report-format.ts';
import type { Watch } from './log-watch.ts';

/** What a process left behind when it died. */
type Remains = Pick<BusEvents['child.crashed'], 'stderrTail' | 'inFlightCalls'>;

const LINE = { singleLine: true } as const;

/** What lives have said that their supervisor's words belong to. A life that ends takes its entries with it. */
interface Heard {
  /** By path. */
  readonly remains: Map<string, Remains>;
  /** `path#epoch` of those that have said themselves, with the pid of their process, that they are ready. */
  readonly processes: Set<string>;
}

/** @returns the functions that end it. */
export function logSupervision(on: Watch, logger: Logger): readonly (() => void)[] {
  const heard: Heard = { remains: new Map(), processes: new Set() };
  return [...logLives(on, logger, heard), ...logSupervisors(on, logger, heard)];
}

function logLives(
  on: Watch,
  logger: Logger,
  { remains, processes }: Heard,
): readonly (() => void)[] {
  return [
    on('child.ready', ({ path, epoch, pid }) => {
      remains.delete(path);
      const fields = { child: path, epoch, workerPid: pid };
      if (pid === undefined) {
        logger.debug(fields, `${path} is ready (epoch ${epoch})`);
        return;
      }
      processes.add(`${path}#${epoch}`);
      logger.info(fields, `${path} is ready (epoch ${epoch}, pid ${pid})`);
    }),
    on('child.crashed', ({ path, epoch, reason, stderrTail, inFlightCalls }) => {
      processes.delete(`${path}#${epoch}`);
      if (stderrTail !== '' || inFlightCalls > 0) remains.set(path, { stderrTail, inFlightCalls });
      const text = formatReason(reason, LINE);
      logger.debug(
        { child: path, epoch, reason: text, stderrTail, inFlightCalls },
        `${path} (epoch ${epoch}) ended with ${text}, ${inFlightCalls} calls in flight`,
      );
    }),
    on('child.stopped', ({ path, epoch, reason }) => {
      remains.delete(path);
      const level = processes.delete(`${path}#${epoch}`) ? 'info' : 'debug';
      const text = formatReason(reason, LINE);
      logger[level](
        { child: path, epoch, reason: text },
        `${path} (epoch ${epoch}) stopped: ${text}`,
      );
    }),
  ];
}

function logSupervisors(
  on: Watch,
  logger: Logger,
  { remains, processes }: Heard,
): readonly (() => void)[] {
  return [
    on('supervisor.progress', (progress) => {
      const { supervisor, started } = progress;
      // A process has said so itself.
      const isTold = processes.has(started.pid ?? '');
      logger[isTold ? 'debug' : progress.level](
        { supervisor, started },
        formatReport(progress, LINE),
      );
    }),
    on('supervisor.reported', (report) => {
      const left = takeRemains(remains, report.offender);
      const calls =
        left === undefined || left.inFlightCalls === 0
          ? ''
          : ` Calls in flight: ${left.inFlightCalls}.`;
      logger.error({ ...reportFields(report), ...left }, `${formatReport(report, LINE)}${calls}`);
    }),
    on('supervisor.decided', (decision) => {
      logger[decisionLevel(decision)](decisionFields(decision), formatReport(decision, LINE));
    }),
    on('supervisor.stopped', ({ supervisor, reason }) => {
      const text = formatReason(reason, LINE);
      const level = reason.type === 'error' ? 'error' : 'info';
      logger[level](
        { supervisor, reason: text, ...errOf(reason) },
        `supervisor ${supervisor === '' ? 'root' : supervisor} ended: ${text}`,
      );
    }),
    on('supervisor.linted', ({ rule, path, message }) => {
      logger.warn({ rule, path }, `${path}: ${message}`);
    }),
  ];
}

function takeRemains(remains: Map<string, Remains>, { path }: Offender): Remains | undefined {
  if (path === undefined) return undefined;
  const left = remains.get(path);
  remains.delete(path);
  return left;
}

/** What is done about something that went wrong is worth a warning; the end that was meant to come is not. */
function decisionLevel({ verdict, errorContext }: SupervisorDecision): 'warn' | 'info' {
  return errorContext !== undefined || verdict === 'replace' ? 'warn' : 'info';
}

function reportFields({ supervisor, errorContext, reason, offender }: SupervisorReport): object {
  const text = formatReason(reason, LINE);
  return { supervisor, errorContext, reason: text, offender, ...errOf(reason) };
}

function decisionFields(decision: SupervisorDecision): object {
  // The error itself stands in the report's record.
  return { ...decision, reason: formatReason(decision.reason, LINE) };
}

function errOf(reason: SupervisorReport['reason']): { readonly err?: Error } {
  return typeof reason === 'object' && reason.type === 'error' ? { err: reason.error } : {};
}
