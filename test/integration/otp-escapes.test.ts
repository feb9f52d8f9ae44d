// Does anything that an actor throws leave the actor? A real process, in which nobody else listens for errors.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const HOST = path.resolve(import.meta.dirname, '../../dist/test/integration/otp-escapes-host.js');
const DEADLINE_MS = 60_000;

const WAYS = [
  ...['action', 'guard', 'assign', 'entry', 'exit', 'delayed action', 'invoked promise'],
  ...['invoked callback, later', 'transition function', 'promise', 'observable'],
  ...['callback, on an event', 'callback, in a timer', 'callback, in an immediate'],
  ...['callback, asynchronous', 'callback, a promise that nobody holds'],
  'callback, a refusal that nobody awaits',
];

interface Line {
  readonly way: string;
  readonly [fact: string]: unknown;
}

describe('what an actor throws', { timeout: DEADLINE_MS }, () => {
  let lines: readonly Line[] = [];
  let stderr = '';

  beforeAll(async () => {
    // It ends by itself, with status 0, or this rejects.
    const result = await promisify(execFile)(process.execPath, [HOST], { timeout: DEADLINE_MS });
    lines = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    ({ stderr } = result);
  }, DEADLINE_MS);

  it.each(WAYS)('is its own crash: %s', (way) => {
    expect(lines.find((line) => line.way === way)).toEqual({
      way,
      restarted: true,
      reason: expect.stringContaining('boom') as string,
      siblingEpoch: 1,
      reports: 1,
    });
  });

  it('never takes the process, nor speaks past the supervisor', () => {
    expect([lines.length, stderr]).toEqual([WAYS.length + 1, '']);
  });

  it('ends a supervisor that throws itself only after its children', () => {
    expect(lines.find(({ way }) => way === 'supervisor')).toEqual({
      way: 'supervisor',
      order: ['root/inner/bystander', 'root/inner/victim', 'root/inner error'],
    });
  });
});
