// Does the log outlive what it cannot write?
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { Bus } from '../../../actors/ground/bus.ts';
import { watchFor } from '../../../src/telemetry/log-watch.ts';
import { thrower } from '../../actors/ground/oddities.ts';

const AT = { path: 'root/a', epoch: 1 };

function watched() {
  const bus = new Bus();
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => {
    lines.push(JSON.parse(text) as Record<string, unknown>);
  };
  const logger = pino({ level: 'warn' }, { write });
  return { bus, lines, logger, watch: watchFor(bus, logger) };
}

describe('an event with an error that cannot be written', () => {
  it.each([
    ['is frozen', Object.freeze(new RangeError('odd'))],
    ['has no stack to look at', withoutStack()],
  ])('is written with a copy of it: it %s', (_, error) => {
    const { bus, lines, logger, watch } = watched();
    watch('child.late_error', (event) => logger.warn({ err: event.error }, 'late'));
    watch('child.crashed', ({ reason }) => {
      logger.warn({ err: reason.type === 'error' ? reason.error : undefined }, 'crashed');
    });
    bus.emit('child.late_error', { ...AT, error });
    const reason = { type: 'error', error } as const;
    bus.emit('child.crashed', { ...AT, reason, stderrTail: '', inFlightCalls: 0 });
    const err = { message: 'odd', stack: expect.stringContaining('RangeError: odd') as string };
    expect(lines).toMatchObject([
      { msg: 'late', err },
      { msg: 'crashed', err },
    ]);
  });
});

describe('an event that cannot be written at all', () => {
  it('is told of, and the next one is written', () => {
    const { bus, lines, logger, watch } = watched();
    let isOdd = true;
    watch('child.starting', ({ path }) => {
      if (isOdd) throw new Error('odd');
      logger.warn(path);
    });
    bus.emit('child.starting', AT);
    isOdd = false;
    bus.emit('child.starting', AT);
    expect(lines).toMatchObject([
      { event: 'child.starting', why: 'odd', msg: 'child.starting cannot be written' },
      { msg: 'root/a' },
    ]);
  });
});

function withoutStack(): Error {
  return Object.defineProperty(new RangeError('odd'), 'stack', { get: thrower('stack') });
}
