// Where does a system of actors log to? One logger for each; the default system has one from its first start on.
import type { Logger } from 'pino';

import { defaultSystem, type System } from '../../supervisors/system.ts';
import { defaultLogger, logEvents } from './log.ts';

/** What ends the log of a system. One that was turned off has an entry too: it stays off. */
const logs = new WeakMap<System, { readonly logger: Logger | false; readonly end: () => void }>();

/**
 * Write what happens in a system to this logger, in place of the one before.
 *
 * @param logger `false`: to none.
 * @param system default: the system of this process, which otherwise logs warnings and errors to stderr as soon as something is started in it.
 */
export function logTo(logger: Logger | false, system: System = defaultSystem()): void {
  const before = logs.get(system);
  if (before?.logger === logger) return;
  before?.end();
  const end = logger === false ? (): void => undefined : logEvents(system.bus, logger);
  logs.set(system, { logger, end });
}

/** Something is about to be started: the default system logs from now on, unless it was said where to. A system of one's own is silent until it is. */
export function logFromNowOn(system: System, logger: Logger | false | undefined): void {
  if (logger !== undefined) logTo(logger, system);
  else if (system === defaultSystem() && !logs.has(system)) {
    logTo(defaultLogger(process.env), system);
  }
}
