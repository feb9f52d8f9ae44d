// Does every process of a run carry a name that no other ever has, and do guardian and ledger hear of it under that name?
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Bus } from '../../../actors/ground/bus.ts';
import type { Host, ProcessReading } from '../../../actors/port/host.ts';
import { systemHost } from '../../../actors/port/host.ts';
import { LEDGER_NAME, parseLedger } from '../../../actors/port/ledger.ts';
import { parentPidFor, Run } from '../../../actors/port/run.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const TOKEN = 'T0ken_-';
let folder: string;
let lines: string[];
let clock: VirtualClock;
let run: Run;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
  lines = [];
  clock = new VirtualClock();
  const host: Host = {
    // Our own process is real, the others begin at their pid's tenfold.
    readProcess: (pid) =>
      pid === process.pid
        ? systemHost.readProcess(pid)
        : ({ state: 'sleeping', startTicks: pid * 10 } as ProcessReading),
    countOpenFiles: () => undefined,
  };
  run = new Run(folder, {
    clock,
    bus: new Bus(),
    ids: { next: (prefix) => prefix, nonce: () => TOKEN },
    host,
    guardianSpawner: () => (onExit) => ({
      pid: 1,
      backlogBytes: 0,
      tell: (line) => lines.push(line.trimEnd()),
      end: () => queueMicrotask(() => onExit({ type: 'normal' })),
      kill: () => undefined,
    }),
  });
  run.start();
});

afterEach(async () => {
  await run.close();
  rmSync(folder, { recursive: true, force: true });
});

const living = () => parseLedger(readFileSync(path.join(folder, LEDGER_NAME), 'utf8'))!.living;
const incarnationOf = (workerId: string, epoch: number): string =>
  run.envOf(workerId, epoch)['CADUCEUS_INCARNATION']!;

describe('a process of a run', () => {
  it('carries the run’s token and its own incarnation', () => {
    expect(run.envOf('dspy/0', 1)).toEqual({
      CADUCEUS_RUN: TOKEN,
      CADUCEUS_INCARNATION: `${TOKEN}/dspy/0/1/1`,
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'is known to guardian and ledger by that incarnation',
    () => {
      const incarnation = incarnationOf('dspy/0', 1);
      run.launched(50, 'dspy/0', 1);
      expect(lines).toEqual([`add 50 500 ${incarnation}`]);
      expect(living()).toEqual([{ pid: 50, startTicks: 500, incarnation }]);
      run.ended(50, 'dspy/0', 1);
      clock.poll();
      expect(lines.at(-1)).toBe(`end 50 500 ${incarnation}`);
      expect(living()).toEqual([]);
    },
  );

  it('is told to have ended once, though its port says so twice', () => {
    incarnationOf('dspy/0', 1);
    run.launched(50, 'dspy/0', 1);
    run.ended(50, 'dspy/0', 1);
    run.ended(50, 'dspy/0', 1);
    while (clock.poll());
    expect(lines).toHaveLength(2);
  });

  it('has another name than its namesake of a deleted row', () => {
    const first = incarnationOf('dspy/0', 1);
    run.launched(50, 'dspy/0', 1);
    const second = incarnationOf('dspy/0', 1);
    run.launched(51, 'dspy/0', 1);
    run.ended(50, 'dspy/0', 1);
    clock.poll();
    expect(second).not.toBe(first);
    expect(lines.slice(1)).toEqual([`add 51 510 ${second}`, `end 50 500 ${first}`]);
  });

  it('ends when its pid is another’s', () => {
    const first = incarnationOf('a', 1);
    run.launched(50, 'a', 1);
    const second = incarnationOf('b', 1);
    run.launched(50, 'b', 1);
    expect(lines.slice(1)).toEqual([`end 50 500 ${first}`, `add 50 500 ${second}`]);
  });

  it('has a name even when nobody asked for its environment', () => {
    run.launched(50, 'a', 3);
    expect(lines).toEqual([`add 50 500 ${TOKEN}/a/3/1`]);
  });
});

describe('a name', () => {
  it.each(['two words', 'new\nline', 'tab\t', 'ünï', '\ud800', 'a=b'])(
    'is one word on one line, whatever the worker is called: %j',
    (workerId) => {
      expect(incarnationOf(workerId, 1)).toMatch(/^[\w./%~@:-]+$/u);
    },
  );
});

describe('the kernel’s tie to Node', () => {
  it.skipIf(process.platform !== 'linux')('is to this process, whose main thread this is', () => {
    expect(run.parentPid).toBe(process.pid);
  });

  it('is not used from another thread, nor where the kernel has none', () => {
    expect(parentPidFor({ platform: 'linux', pid: 5 }, 'main')).toBe(5);
    expect(parentPidFor({ platform: 'linux', pid: 5 }, 'worker')).toBeUndefined();
    expect(parentPidFor({ platform: 'darwin', pid: 5 }, 'main')).toBeUndefined();
  });
});
