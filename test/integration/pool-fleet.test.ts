// Does a pool take the new code of its bridge up, or leave it alone when that is broken, and come back when it was mended? On real processes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createRuntime, defineAdapter, type PoolOptions, type Runtime } from '../../src/index.ts';
import { PYTHON, rejection, until, workersOf } from '../support/real-runtime.ts';

const PATIENCE_MS = 15_000;
const plain = defineAdapter({ framework: 'plain', operations: {} });

let folder: string;
let runtime: Runtime | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'caduceus-fleet-'));
});
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const script = (): string => path.join(folder, 'bridge.py');
/** Of a length of its own: what Python has compiled of it is known by its time, in seconds, and its length. */
const write = (version: number): void => {
  writeFileSync(
    script(),
    [
      'from base_bridge import BaseBridge',
      '',
      'class Code(BaseBridge):',
      '    def _register_handlers(self):',
      '        self._handlers = {"version": self.version}',
      '    def _initialize_framework(self):',
      `        self.number = ${version}  # ${'.'.repeat(version)}`,
      '    def get_framework_info(self):',
      '        return {"name": "code", "version": "1", "capabilities": []}',
      '    def version(self, args):',
      '        return self.number',
      '',
    ].join('\n'),
  );
};
const breakIt = (): void => {
  writeFileSync(script(), 'import no_such_module_anywhere\n');
};

async function start(pool: PoolOptions): Promise<Runtime> {
  runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    bridges: {
      code: { adapter: plain, scriptPath: script(), pool, startup: 'background' },
    },
  });
  return runtime;
}

describe('a reload', () => {
  it('takes the new code of a bridge up, while nobody misses a worker', async () => {
    write(1);
    const of = await start({ size: 2 });
    const before = await of.pool('code').call('version');
    write(2);
    await of.pool('code').reload();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => of.pool('code').call('version')),
    );
    expect([before, new Set(answers)]).toEqual([1, new Set([2])]);
    expect(of.pool('code').statistics().counters).toMatchObject({ reloaded: 2, failed: 0 });
  });

  it('of code that is broken fails, and the workers that were there go on; once mended it is taken up', async () => {
    write(1);
    const of = await start({ size: 2, maxRestarts: 0 });
    await of.pool('code').call('version');
    await until(() => of.pool('code').statistics().gauges.idle === 2, PATIENCE_MS);
    const pids = workersOf(of).map(({ pid }) => pid);
    breakIt();
    const error = await rejection(of.pool('code').reload());
    expect(error).toMatchObject({
      code: 'reload_failed',
      cause: {
        code: 'bridge_start_failed',
        traceback: expect.stringContaining('no_such_module') as string,
      },
    });
    expect(workersOf(of).map(({ pid }) => pid)).toEqual(pids);
    expect(await of.pool('code').call('version')).toBe(1);
    write(3);
    await of.pool('code').reload();
    expect(await of.pool('code').call('version')).toBe(3);
  });
});

describe('a pool whose bridge is broken from the start', () => {
  it('tries it once, and serves once it was mended and the pool was started again', async () => {
    breakIt();
    const of = await start({ size: 2 });
    const tries: string[] = [];
    of.on('child.starting', ({ path, epoch }) => tries.push(`${path} #${epoch}`));
    await until(() => of.pool('code').statistics().state === 'failed', PATIENCE_MS);
    const refused = await rejection(of.pool('code').call('version'));
    expect(refused).toMatchObject({ code: 'pool_failed', cause: { code: 'bridge_start_failed' } });
    // Those that were on their way at the same time, and none of them again.
    expect(tries.filter((one) => !one.endsWith('#1'))).toEqual([]);
    expect(new Set(tries).size).toBe(tries.length);
    write(4);
    await of.pool('code').start();
    expect(await of.pool('code').call('version')).toBe(4);
  });

  it('comes back by itself after the time of its breaker', async () => {
    breakIt();
    const of = await start({ size: 1, breaker: { openMs: 200 } });
    await until(() => of.pool('code').statistics().state === 'failed', PATIENCE_MS);
    write(5);
    await until(() => of.pool('code').statistics().state === 'serving', PATIENCE_MS);
    expect(await of.pool('code').call('version')).toBe(5);
  });
});

describe('workers that die while they are replaced', () => {
  it('take no call with them but their own, and the pool comes to its size', async () => {
    write(1);
    const of = await start({
      ...{ size: 3, maxCallsPerWorker: 5, maxRestarts: 1_000, breaker: false },
      // The calls are all alike, and here it is none of them that kills.
      quarantine: { crashes: 1_000 },
    });
    await of.pool('code').call('version');
    const killed = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const calls = Array.from({ length: 6 }, () => of.pool('code').call('version'));
      const [victim] = workersOf(of).filter(({ pid }) => pid !== undefined);
      if (round % 4 === 0 && victim?.pid !== undefined) {
        killed.add(`${victim.path}#${victim.epoch}`);
        process.kill(victim.pid, 'SIGKILL');
      }
      for (const outcome of await Promise.allSettled(calls)) {
        if (outcome.status === 'fulfilled') continue;
        const { workerId, epoch } = outcome.reason as { workerId: string; epoch: number };
        expect(killed).toContain(`${workerId}#${epoch}`);
      }
    }
    await until(() => {
      const { gauges } = of.pool('code').statistics();
      return gauges.idle === 3 && gauges.starting === 0 && gauges.retiring === 0;
    }, PATIENCE_MS);
    expect(workersOf(of)).toHaveLength(3);
  });
});
