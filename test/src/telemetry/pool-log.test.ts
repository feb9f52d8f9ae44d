// Does the log say why a pool has changed, and why a worker came or went?
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { Bus, type BusEventName, type BusEvents } from '../../../actors/ground/bus.ts';
import { logEvents } from '../../../src/telemetry/log.ts';

function lineOf<Name extends BusEventName>(name: Name, event: BusEvents[Name]): string {
  const bus = new Bus();
  const lines: string[] = [];
  const write = (text: string): void => {
    const { level, msg } = JSON.parse(text) as { level: number; msg: string };
    lines.push(`${pino.levels.labels[level]} ${msg}`);
  };
  const end = logEvents(bus, pino({ level: 'debug' }, { write }));
  bus.emit(name, event);
  end();
  bus.emit(name, event);
  return lines.join('\n');
}

const pool = 'dspy';
const worker = 'dspy/4';

describe('the log of a pool', () => {
  it('says what it has become, and why', () => {
    const event = { pool, from: 'starting', to: 'serving', because: 'worker dspy/0 is ready' };
    expect(lineOf('pool.changed', event)).toBe(
      'info pool dspy: starting to serving: worker dspy/0 is ready',
    );
  });

  it('says how large it is to be', () => {
    expect(lineOf('pool.resized', { pool, from: 2, to: 3, because: 'autoscale' })).toBe(
      'info pool dspy: size 2 to 3 (autoscale)',
    );
  });

  it.each([
    ['dspy/0', 'info pool dspy: dspy/4 is started in place of dspy/0 (age)'],
    [undefined, 'info pool dspy: dspy/4 is started (age)'],
  ])('says why a worker comes, for %s', (replaces, line) => {
    expect(lineOf('worker.starting', { pool, worker, because: 'age', replaces })).toBe(line);
  });

  it('says why a worker goes, and what time it has', () => {
    const event = { pool, worker, epoch: 2, because: 'idle', drainMs: 60_000 };
    expect(lineOf('worker.retiring', event)).toBe(
      'info pool dspy: dspy/4 (epoch 2) goes (idle), within 60000 ms',
    );
  });

  it.each([
    [1_000, '; another is tried in 1000 ms'],
    [undefined, ''],
  ])('warns of one that did not become ready, tried again in %s', (retryInMs, next) => {
    const reason = { type: 'exit_status', status: 3 } as const;
    const event = { pool, worker, because: 'overflow', reason, retryInMs };
    expect(lineOf('worker.start_failed', event)).toMatch(
      /^warn pool dspy: dspy\/4, started for overflow, did not become ready: .*3.*; the others go on/,
    );
    expect(lineOf('worker.start_failed', event).endsWith(`the others go on${next}`)).toBe(true);
  });
});
