// How much longer do modest callers wait when a greedy one has five hundred calls before them?
import { setMaxListeners } from 'node:events';

import type { BridgeHandle } from '../../src/index.ts';
import { openPool } from './pool-stage.ts';
import { ascending, percentile, round, timesOf, type Benchmark } from './row.ts';

const GREEDY_WAITING = 500;
const MODEST = 4;
const WORK_MS = 2;
const CALLS = { full: 300, quick: 60 } as const;
/** A pool that is not fair takes minutes for so many calls: what was made by then says enough. */
const RUN_MS_MAX = 20_000;
/** The first calls of each find the worker as the start has left it. */
const WARM_UP_CALLS = 20;

const fairness: Benchmark = {
  id: 'pool.fairness',
  question: `${MODEST} sessions that make one call of ${WORK_MS} ms after the other on one worker, beside one with ${GREEDY_WAITING} calls waiting: their p99 wait ÷ that without the greedy one`,
  unit: '× the wait without',
  // In turns, each of four waits for four others in place of three: 1.33. First come, first served, it would be about 170.
  must: 2,
  aim: 1.5,
  run: async (thoroughness) => {
    await using stage = await openPool({ size: 1 });
    const { bridge } = stage;
    const calls = CALLS[thoroughness];
    await modest(bridge, WARM_UP_CALLS);
    const alone = await modest(bridge, calls);
    const greed = greedily(bridge);
    await modest(bridge, WARM_UP_CALLS);
    const beside = await modest(bridge, calls);
    const greedyCalls = await greed.end();
    const p99 = (waits: readonly number[]): number => percentile(ascending(waits), 0.99);
    return {
      value: round(p99(beside) / p99(alone)),
      n: beside.length,
      p50: round(percentile(ascending(beside), 0.5) * 1000, 1),
      p99: round(p99(beside) * 1000, 1),
      detail: {
        timesAreOf: 'a wait: the call without its own work',
        beside: timesOf(beside),
        alone: timesOf(alone),
        greedyCalls,
        inTurns: round(MODEST / (MODEST - 1)),
        node: process.versions.node,
      },
    };
  },
};

export const POOL_FAIRNESS_BENCHMARKS: readonly Benchmark[] = [fairness];

/** Each session makes so many calls, one after the other. @returns how long each waited. */
async function modest(bridge: BridgeHandle, calls: number): Promise<number[]> {
  const waitsMs: number[] = [];
  const endMs = performance.now() + RUN_MS_MAX;
  const callOn = async (_: unknown, index: number): Promise<void> => {
    const options = { sessionId: `modest-${index}` };
    for (let made = 0; made < calls && performance.now() < endMs; made += 1) {
      const beganMs = performance.now();
      await bridge.call('nap', { ms: WORK_MS }, options);
      waitsMs.push(Math.max(0, performance.now() - beganMs - WORK_MS));
    }
  };
  await Promise.all(Array.from({ length: MODEST }, callOn));
  return waitsMs;
}

/** One session that always has so many calls waiting. `end` gives how many were answered. */
function greedily(bridge: BridgeHandle): { readonly end: () => Promise<number> } {
  const ending = new AbortController();
  setMaxListeners(GREEDY_WAITING, ending.signal);
  const options = { sessionId: 'greedy', checkoutTimeoutMs: 60_000, timeoutMs: 60_000 };
  let answered = 0;
  const callOn = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        await bridge.call('nap', { ms: WORK_MS }, { ...options, signal: ending.signal });
        answered += 1;
      } catch (error) {
        if (!ending.signal.aborted) throw error;
      }
    }
  };
  const callers = Promise.all(Array.from({ length: GREEDY_WAITING }, callOn));
  return {
    end: async () => {
      ending.abort();
      await callers;
      return answered;
    },
  };
}
