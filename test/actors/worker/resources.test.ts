import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProcessReading } from '../../../actors/port/host.ts';
import {
  judgeResources,
  ResourceWatch,
  type ResourceLimits,
  type WorkerUsage,
} from '../../../actors/worker/resources.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { READING } from './watched-worker.ts';

const PID = 4_711;
const USAGE: WorkerUsage = {
  rssBytes: 1_000,
  cpuMs: 2_000,
  openFiles: 30,
  threads: 2,
  readAtMs: 0,
};

describe('the use of resources', () => {
  it('is within no limits, and within those that it just meets', () => {
    expect(judgeResources(USAGE, {})).toBe('within');
    const met = { rssBytesMax: 1_000, cpuMsMax: 2_000, openFilesMax: 30 };
    expect(judgeResources(USAGE, met)).toBe('within');
  });

  it.each([
    ['rssBytesMax', 999, 1_000],
    ['cpuMsMax', 1_999, 2_000],
    ['openFilesMax', 29, 30],
  ] as const)('is over %s of %i with %i', (what, limit, found) => {
    expect(judgeResources(USAGE, { [what]: limit })).toEqual({ type: 'over', what, found, limit });
  });

  it('is judged by what is known', () => {
    const usage = { ...USAGE, openFiles: undefined };
    expect(judgeResources(usage, { openFilesMax: 1 })).toBe('within');
  });

  it('is within exactly when no measure is above its limit', () => {
    const amount = fc.nat(5);
    const limit = fc.option(fc.nat(5), { nil: undefined });
    fc.assert(
      fc.property(amount, amount, amount, limit, limit, limit, (rss, cpu, files, a, b, c) => {
        const usage = { ...USAGE, rssBytes: rss, cpuMs: cpu, openFiles: files };
        const verdict = judgeResources(usage, { rssBytesMax: a, cpuMsMax: b, openFilesMax: c });
        const isOver = rss > (a ?? rss) || cpu > (b ?? cpu) || files > (c ?? files);
        expect(verdict !== 'within').toBe(isOver);
      }),
    );
  });
});

function watched(limits: ResourceLimits) {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const seen: { process: Partial<ProcessReading> | undefined; openFiles: number } = {
    process: { rssBytes: 1_000, cpuMs: 2_000 },
    openFiles: 30,
  };
  const counted: number[] = [];
  const host = {
    readProcess: (pid: number) => {
      asked.push(pid);
      return seen.process === undefined ? undefined : { ...READING, ...seen.process };
    },
    countOpenFiles: (pid: number) => {
      counted.push(pid);
      return seen.openFiles;
    },
  };
  return { clock, asked, seen, counted, watch: new ResourceWatch(limits, { clock, host }) };
}

describe('a watch over resources (R4)', () => {
  it('knows nothing before its first sample, and then what that said', () => {
    const { clock, asked, watch } = watched({ openFilesMax: 100 });
    expect(watch.usage).toBeUndefined();
    clock.advance(2_000);
    expect(watch.sample(PID)).toEqual([]);
    expect(watch.usage).toEqual({ ...USAGE, readAtMs: 2_000 });
    expect(asked).toEqual([PID]);
  });

  it('has no timer of its own', () => {
    const { clock, asked, watch } = watched({ rssBytesMax: 1 });
    watch.sample(PID);
    expect(clock.pending).toBe(0);
    clock.advance(60_000);
    expect(asked.length).toBe(1);
  });

  it('counts open files only when they are limited: that lists a folder', () => {
    const { counted, watch } = watched({ rssBytesMax: 5_000 });
    watch.sample(PID);
    expect([counted, watch.usage?.openFiles]).toEqual([[], undefined]);
  });

  it('tells each limit once, also when the excess ends and comes back', () => {
    const { seen, watch } = watched({ rssBytesMax: 1_500, cpuMsMax: 2_500 });
    const told: string[][] = [];
    for (const rssBytes of [1_500, 1_501, 9_000, 10, 9_000]) {
      seen.process = { rssBytes, cpuMs: rssBytes === 10 ? 2_501 : 0 };
      told.push(watch.sample(PID).map(({ what }) => what));
    }
    expect(told).toEqual([[], ['rssBytesMax'], [], ['cpuMsMax'], []]);
  });

  it('tells all limits that one reading passes, with what was found and allowed', () => {
    const { watch } = watched({ rssBytesMax: 999, cpuMsMax: 1_999, openFilesMax: 29 });
    expect(watch.sample(PID)).toEqual([
      { what: 'rssBytesMax', found: 1_000, limit: 999, usage: USAGE },
      { what: 'cpuMsMax', found: 2_000, limit: 1_999, usage: USAGE },
      { what: 'openFilesMax', found: 30, limit: 29, usage: USAGE },
    ]);
    expect(watch.sample(PID)).toEqual([]);
  });

  it.each([
    ['cannot be read', undefined],
    ['is a zombie', { state: 'zombie', rssBytes: 0 } as const],
  ])('keeps the last reading of a process that %s', (_what, process) => {
    const { seen, watch } = watched({ rssBytesMax: 5_000 });
    watch.sample(PID);
    seen.process = process;
    expect(watch.sample(PID)).toEqual([]);
    expect(watch.usage?.rssBytes).toBe(1_000);
  });
});
