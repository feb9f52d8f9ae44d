// What does an operator read? One log line for each thing that happened, through pino. A subscriber of the bus like any other.
import { pino, type Logger } from 'pino';

import type { Bus } from '../../actors/ground/bus.ts';
import { formatExitReason } from '../../actors/ground/exit-reason.ts';
import type { PythonLogLevel } from '../../actors/ground/worker-facts.ts';

const STDERR = 2;

/** Warnings and worse on stderr, unless `CADUCEUS_LOG_LEVEL` says otherwise. */
export function defaultLogger(env: Readonly<Record<string, string | undefined>>): Logger {
  return pino(
    { name: 'caduceus', level: env['CADUCEUS_LOG_LEVEL'] ?? 'warn' },
    pino.destination(STDERR),
  );
}

const LEVELS = {
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
} as const satisfies Record<PythonLogLevel, string>;

/** Write the bus into the log. Returns the function that ends it. */
export function logEvents(bus: Bus, logger: Logger): () => void {
  const ends = [
    bus.on('worker.logged', ({ path, epoch, callId, level, logger: python, message }) => {
      logger[LEVELS[level]]({ worker: path, epoch, call: callId, python }, message);
    }),
    bus.on('worker.output', ({ path, epoch, callId, stream, line }) => {
      const fields = { worker: path, epoch, call: callId, stream };
      if (stream === 'stderr') logger.warn(fields, line);
      else logger.info(fields, line);
    }),
    bus.on('child.ready', ({ path, epoch, pid }) => {
      logger.info(
        { child: path, epoch, workerPid: pid },
        `${path} is ready (epoch ${epoch}, pid ${pid})`,
      );
    }),
    bus.on('child.crashed', ({ path, epoch, reason, stderrTail, inFlightCalls }) => {
      const text = formatExitReason(reason);
      logger.error(
        { child: path, epoch, reason: text, stderrTail, inFlightCalls },
        `${path} (epoch ${epoch}) ended with ${text}, ${inFlightCalls} calls in flight`,
      );
    }),
    bus.on('child.stopped', ({ path, epoch, reason }) => {
      logger.info(
        { child: path, epoch },
        `${path} (epoch ${epoch}) stopped: ${formatExitReason(reason)}`,
      );
    }),
    bus.on('supervisor.decided', (event) => {
      const { supervisor, child, epoch, verdict, because, restartsInWindow } = event;
      const reason = formatExitReason(event.reason);
      const line = `supervisor ${supervisor || 'root'}: child ${child} (epoch ${epoch}) ended with ${reason}: ${verdict} (${because}; ${restartsInWindow} restarts in window)`;
      const fields = { supervisor, child, epoch, reason, verdict, restartsInWindow };
      if (verdict === 'give_up') logger.error(fields, line);
      else logger.warn(fields, line);
    }),
    bus.on('scope.replayed', ({ pool, scope, worker, epoch, operations }) => {
      logger.info(
        { pool, worker, epoch, operations },
        `pool ${pool}: ${scope} brought up to date on ${worker} (epoch ${epoch}): ${operations.join(', ')}`,
      );
    }),
    bus.on('pool.failed', ({ pool, error }) => {
      logger.error({ pool, err: error }, error.message);
    }),
    bus.on('reply.dropped', ({ path, epoch, callId }) => {
      logger.warn(
        { worker: path, epoch, call: callId },
        'a reply to no call in flight was dropped',
      );
    }),
    bus.on('bus.subscriber_detached', ({ event, error }) => {
      logger.error({ event, err: error }, 'an event listener threw and was detached');
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
