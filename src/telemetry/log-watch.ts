// How does the log stay alive, whatever actors throw? What cannot be written as it is, is written in plain words.
import type { Logger } from 'pino';

import type { Bus, BusEventName, BusEvents, BusListener } from '../../actors/ground/bus.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';

/** As `Bus.on`. */
export type Watch = <Name extends BusEventName>(
  name: Name,
  listener: BusListener<Name>,
) => () => void;

/**
 * Watch a bus for a log. Pino marks each error while it writes it and reads all of its fields: one that is frozen, or that has a field that throws, makes the listener throw, and the bus detaches who
 * throws. Such an event is written once more with a copy of its error; if that fails too, the log says so and goes on.
 */
export function watchFor(bus: Bus, logger: Logger): Watch {
  return (name, listener) =>
    bus.on(name, (event, told) => {
      try {
        listener(event, told);
      } catch {
        try {
          listener(withPlainErrors(event), told);
        } catch (cause) {
          logger.error({ event: name, why: errorFrom(cause).message }, `${name} cannot be written`);
        }
      }
    });
}

function withPlainErrors<Name extends BusEventName>(event: BusEvents[Name]): BusEvents[Name] {
  const { reason, error } = event as { readonly reason?: unknown; readonly error?: unknown };
  const isCrash = typeof reason === 'object' && reason !== null && 'error' in reason;
  return {
    ...event,
    ...(isCrash ? { reason: { ...reason, error: plain(reason.error) } } : {}),
    ...(error === undefined ? {} : { error: plain(error) }),
  };
}

function plain(thrown: unknown): Error {
  const { name, message } = errorFrom(thrown);
  const copy = new Error(message);
  copy.name = name;
  copy.stack = stackOf(thrown) ?? `${name}: ${message}`;
  return copy;
}

function stackOf(thrown: unknown): string | undefined {
  try {
    const { stack } = errorFrom(thrown);
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    return undefined;
  }
}
