// Does a session ever lose or mix up its state while workers are killed all the time? Real processes, seconds of storm.
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

import { isCaduceusError, type Runtime } from '../../src/index.ts';
import { echoRuntime, isAlive, workersOf } from '../support/real-runtime.ts';

const CLIENTS = 6;
const KILLS = 40;

let runtime: Runtime;
afterAll(async () => {
  await runtime.stop();
});

function alivePids(): number[] {
  return workersOf(runtime).flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
}

/** One caller: writes a number, reads it back, again and again. Gives the readings that were wrong, and the errors it met by code. */
async function client(
  sessionId: string,
  isOver: () => boolean,
): Promise<{ readonly wrong: unknown[]; readonly codes: Set<string>; readonly reads: number }> {
  const pool = runtime.pool('echo');
  const codes = new Set<string>();
  const wrong: unknown[] = [];
  let reads = 0;
  let written: number | undefined;
  for (let value = 0; !isOver(); value += 1) {
    try {
      if (value % 5 === 0) {
        await pool.call('remember', { id: 'x', value }, { sessionId });
        written = value;
      } else if (written !== undefined) {
        const read = await pool.call('recall', { id: 'x' }, { sessionId });
        reads += 1;
        if (read !== written) wrong.push({ sessionId, written, read });
      }
    } catch (error) {
      if (!isCaduceusError(error)) throw error;
      codes.add(error.code);
    }
  }
  return { wrong, codes, reads };
}

/** The pool has answered a call; one that a kill has met is asked again. */
async function served(): Promise<void> {
  for (let tries = 0; tries < KILLS; tries += 1) {
    try {
      await runtime.pool('echo').call('echo', {});
      return;
    } catch (error) {
      if (!isCaduceusError(error) || error.code !== 'worker_crashed') throw error;
    }
  }
  throw new Error('no call came through');
}

describe('a storm of kills', () => {
  it(
    'costs calls that were in flight and nothing else: no state, no process, no descriptor',
    { timeout: 120_000 },
    async () => {
      runtime = await echoRuntime({
        size: 3,
        maxRestarts: 1_000,
        maxConsecutiveStartFailures: 1_000,
        // The storm hits the same reading of a session again and again, which is no poison.
        quarantine: { crashes: 1_000 },
      });
      const descriptors = readdirSync('/proc/self/fd').length;
      const seen = new Set(alivePids());
      let isOver = false;
      const clients = Array.from({ length: CLIENTS }, (_, n) => client(`s${n}`, () => isOver));
      const [victims = []] = fc.sample(
        fc.array(fc.nat(2), { minLength: KILLS, maxLength: KILLS }),
        1,
      );
      try {
        for (const victim of victims) {
          await served();
          const pids = alivePids();
          for (const pid of pids) seen.add(pid);
          const pid = pids[victim % pids.length];
          // The last victim's end may not have been heard of yet: it cannot be killed twice.
          if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
        }
        await served();
      } finally {
        // Else clients of a runtime that is stopped would ask it again and again.
        isOver = true;
      }
      const results = await Promise.all(clients);
      expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
      expect(Math.min(...results.map(({ reads }) => reads))).toBeGreaterThan(0);
      const codes = new Set(results.flatMap((result) => [...result.codes]));
      codes.delete('worker_crashed');
      expect([...codes]).toEqual([]);
      await runtime.stop();
      expect([...seen].filter(isAlive)).toEqual([]);
      expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(descriptors);
    },
  );
});
