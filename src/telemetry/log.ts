// What does an operator read? One log line for each thing that happened, through pino. A subscriber of the bus like any other.
import { pino, type Logger } from 'pino';

import type { Bus } from '../../actors/ground/bus.ts';
import type { PythonLogLevel } from '../../actors/ground/worker-facts.ts';
import { formatReason } from '../../supervisors/report-format.ts';
import { watchFor, type Watch } from './log-watch.ts';
import { logPools } from './pool-log.ts';
import { logSupervision } from './supervision-log.ts';
import { stderrLines } from './stderr-lines.ts';

const DEFAULT_LEVEL = 'warn';

/** Warnings and worse on stderr, unless `CADUCEUS_LOG_LEVEL` says otherwise. */
export function defaultLogger(env: Readonly<Record<string, string | undefined>>): Logger {
  const asked = env['CADUCEUS_LOG_LEVEL'] ?? DEFAULT_LEVEL;
  const isKnown = asked === 'silent' || asked in pino.levels.values;
  const logger = pino({ name: 'caduceus', level: isKnown ? asked : DEFAULT_LEVEL }, stderrLines());
  // A slip in the environment must not keep a program from starting.
  if (!isKnown) {
    const known = [...Object.keys(pino.levels.values), 'silent'].join(', ');
    logger.warn(`CADUCEUS_LOG_LEVEL: ${asked} is no level; there are ${known}`);
  }
  return logger;
}

const LEVELS = {
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
} as const satisfies Record<PythonLogLevel, string>;

/**
 * Write the bus into the log. Returns the function that ends it.
 *
 * Each thing is one line. What a supervisor reports is OTP's to level: `error` for what went wrong, `info` for progress. What follows from it is the decision's line, at
 * `warn`, or at `info` where nothing went wrong. So a crash that is restarted is two lines at the default level: what happened, what is done about it. What the lives
 * themselves say of the same (`child.*`) is at `debug`; what a process left behind when it died stands in the report's line.
 */
export function logEvents(bus: Bus, logger: Logger): () => void {
  const on = watchFor(bus, logger);
  const ends = [
    ...logSupervision(on, logger),
    ...logZygotes(on, logger),
    ...logPools(on, logger),
    on('worker.logged', ({ path, epoch, callId, level, logger: python, message }) => {
      logger[LEVELS[level]]({ worker: path, epoch, call: callId, python }, message);
    }),
    on('worker.output', ({ path, epoch, callId, stream, line }) => {
      const fields = { worker: path, epoch, call: callId, stream };
      if (stream === 'stderr') logger.warn(fields, line);
      else logger.info(fields, line);
    }),
    on('child.late_error', ({ path, epoch, error }) => {
      const what = formatReason({ type: 'error', error });
      logger.warn(
        { child: path, epoch, err: error },
        `${path} (epoch ${epoch}) threw after its end: ${what}`,
      );
    }),
    on('letter.dead', ({ path, epoch, event }) => {
      logger.debug(
        { child: path, epoch, event },
        `${event} was sent to ${path} (epoch ${epoch}), which is dead`,
      );
    }),
    on('monitor.listener_failed', ({ monitorId, path, error }) => {
      const of = path === undefined ? '' : ` of ${path}`;
      logger.warn({ monitorId, path, err: error }, `the listener of a monitor${of} threw`);
    }),
    on('scope.replayed', ({ pool, scope, worker, epoch, operations }) => {
      logger.info(
        { pool, worker, epoch, operations },
        `pool ${pool}: ${scope} brought up to date on ${worker} (epoch ${epoch}): ${operations.join(', ')}`,
      );
    }),
    on('pool.failed', ({ pool, error }) => {
      logger.error({ pool, err: error }, error.message);
    }),
    on('reply.dropped', ({ path, epoch, callId }) => {
      logger.warn(
        { worker: path, epoch, call: callId },
        'a reply to no call in flight was dropped',
      );
    }),
    on('bus.subscriber_detached', ({ event, error }) => {
      logger.error({ event, err: error }, 'an event listener threw and was detached');
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Workers are slower to start, or were lost: why. */
function logZygotes(on: Watch, logger: Logger): readonly (() => void)[] {
  return [
    on('zygote.unsafe', ({ path, epoch, hazard }) => {
      logger.warn({ child: path, epoch, hazard }, `${path} forks no workers: ${hazard}`);
    }),
    on('zygote.refused', ({ path, epoch, hazard }) => {
      logger.warn(
        { child: path, epoch, hazard },
        `${path} did not fork a worker, which was spawned instead: ${hazard}`,
      );
    }),
    on('zygote.hung', ({ path, epoch, what }) => {
      logger.warn(
        { child: path, epoch, what },
        `${path} does not answer (${what}) and is replaced`,
      );
    }),
  ];
}
