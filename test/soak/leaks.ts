// What is left when everything has been stopped, and what has grown meanwhile? Descriptors, timers, handles, processes, folders, memory.
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { isAlive } from '../support/processes.ts';

const MIB = 1024 * 1024;
/** What a warm runtime may still grow by between the second quarter of a run and its end: code that is compiled late, caches of the engine. */
const HEAP_GROWTH_MAX = 8 * MIB;
/** And by so much in a minute of a long run: a leak of 40 bytes for each of a thousand calls a second is seen. */
const HEAP_SLOPE_MAX = 2.4 * MIB;
const MINUTE_MS = 60_000;
const SETTLE_MS = 3_000;
const POLL_MS = 20;

/** What this process holds that does not belong to V8. */
export interface Held {
  readonly fds: number;
  /** Timers and handles that keep the event loop alive, by type. */
  readonly resources: Readonly<Record<string, number>>;
}

export interface MemorySample {
  readonly atMs: number;
  /** After a garbage collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

/** What is left, and what grows. All zero where nothing leaks. */
export interface Leaks {
  readonly fds: number;
  readonly timers: number;
  /** Handles by type that are more than before. */
  readonly handles: Readonly<Record<string, number>>;
  readonly processes: number;
  readonly folders: number;
  /** Growth beyond what is allowed, in bytes; 0: none. */
  readonly heapBytes: number;
}

/** The collector of V8, which is hidden without a flag. */
export function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

export function heldNow(): Held {
  const resources: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) resources[type] = (resources[type] ?? 0) + 1;
  return { fds: readdirSync('/proc/self/fd').length, resources };
}

/** Whose end takes a moment after `stop()` has resolved: handles that Node closes in its next turn. */
export async function settled(before: Held): Promise<Held> {
  const endMs = performance.now() + SETTLE_MS;
  for (;;) {
    const now = heldNow();
    const isMore = now.fds > before.fds || Object.keys(handlesLeft(before, now)).length > 0;
    if (!isMore || performance.now() > endMs) return now;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export function leaksOf(found: {
  readonly before: Held;
  readonly after: Held;
  readonly pids: ReadonlySet<number>;
  readonly folders: readonly string[];
  readonly memory: readonly MemorySample[];
}): Leaks {
  const { before, after, pids, folders, memory } = found;
  const { Timeout = 0, Immediate = 0, ...handles } = handlesLeft(before, after);
  return {
    fds: Math.max(0, after.fds - before.fds),
    timers: Timeout + Immediate,
    handles,
    processes: [...pids].filter(isAlive).length,
    folders: folders.length,
    heapBytes: heapLeak(memory),
  };
}

export function isLeaking({ handles, ...counts }: Leaks): boolean {
  return Object.keys(handles).length > 0 || Object.values(counts).some((count) => count > 0);
}

function handlesLeft(before: Held, after: Held): Record<string, number> {
  const more = Object.entries(after.resources).map(
    ([type, count]) => [type, count - (before.resources[type] ?? 0)] as const,
  );
  return Object.fromEntries(more.filter(([, count]) => count > 0));
}

/** How much the heap has grown beyond what it may, over the part of the run in which everything is warm. */
export function heapLeak(memory: readonly MemorySample[]): number {
  const warm = memory.slice(Math.floor(memory.length / 4));
  if (warm.length < 3) return 0;
  const spanMs = warm.at(-1)!.atMs - warm[0]!.atMs;
  const grown = slopeOf(warm, ({ heapBytes }) => heapBytes) * spanMs;
  const allowed = Math.max(HEAP_GROWTH_MAX, (HEAP_SLOPE_MAX * spanMs) / MINUTE_MS);
  return grown > allowed ? Math.round(grown) : 0;
}

/** Growth in bytes for each ms: the straight line of least squares. */
export function slopeOf(
  samples: readonly MemorySample[],
  of: (sample: MemorySample) => number,
): number {
  const n = samples.length;
  if (n < 2) return 0;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / n;
  const mean = samples.reduce((sum, sample) => sum + of(sample), 0) / n;
  let [above, below] = [0, 0];
  for (const sample of samples) {
    above += (sample.atMs - meanAt) * (of(sample) - mean);
    below += (sample.atMs - meanAt) ** 2;
  }
  return below === 0 ? 0 : above / below;
}
