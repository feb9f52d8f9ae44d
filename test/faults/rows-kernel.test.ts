// What holds where the kernel gives little, or gives a number twice? Rows P6, P7, P15, P16, R1 and R2 of docs/faults.md, on real processes; most of them need root, and say so when they are skipped.
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';

import type { Runtime } from '../../src/index.ts';
import { isAlive, rejection, until, workersOf } from '../support/real-runtime.ts';
import { RowsHost } from '../support/rows-host.ts';
import {
  isWhole,
  leaveNobody,
  PROMISE_MS,
  rowsRuntime,
  SOON_MS,
  temporaryFolder,
} from '../support/rows-runtime.ts';

const ON_LINUX = process.platform === 'linux';
const MIB = 2 ** 20;
const SIGKILL = 9;

/** Version 1 has a folder for each controller; in version 2 the file is there when the controller is. */
const CGROUPS = {
  memory: [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ],
  pids: [
    ['/sys/fs/cgroup/pids', 'pids.max'],
    ['/sys/fs/cgroup', 'pids.max'],
  ],
} as const;

/** A group of processes that the kernel holds to a limit; undefined where we may not make one. */
function cgroup(controller: keyof typeof CGROUPS, limit: number): string | undefined {
  for (const [root, file] of CGROUPS[controller]) {
    // Else it is no group of processes that is made there.
    if (!existsSync(join(root, 'cgroup.procs'))) continue;
    const folder = join(root, `caduceus-test-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    try {
      writeFileSync(join(folder, file), String(limit));
      return folder;
    } catch {
      rmdirSync(folder);
    }
  }
  return undefined;
}

function mayMakeCgroup(controller: keyof typeof CGROUPS): boolean {
  const folder = cgroup(controller, MIB);
  if (folder !== undefined) rmdirSync(folder);
  return folder !== undefined;
}

const may = (...command: readonly string[]): boolean =>
  spawnSync(command[0]!, command.slice(1), { stdio: 'ignore' }).status === 0;
const WITHIN_PIDS = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const MAY_REUSE_PIDS = may(...WITHIN_PIDS, 'sh', '-c', 'echo 500 > /proc/sys/kernel/ns_last_pid');
const MAY_MOUNT = may('unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt');

let runtime: Runtime;
let host: RowsHost | undefined;
const groups: string[] = [];
afterEach(async () => {
  await host?.end();
  host = undefined;
  await leaveNobody();
  for (const group of groups.splice(0)) rmdirSync(group);
});

/** The only worker is held to a limit from now on. */
async function limited(controller: keyof typeof CGROUPS, limit: number) {
  runtime = await rowsRuntime();
  await isWhole(runtime);
  const group = cgroup(controller, limit)!;
  groups.push(group);
  writeFileSync(join(group, 'cgroup.procs'), String(workersOf(runtime)[0]?.pid));
  return runtime.pool('rows');
}

describe('a worker', () => {
  it.skipIf(!mayMakeCgroup('memory'))(
    'P6 that the kernel kills for its memory has lost its call, and the next one serves (root)',
    async () => {
      const pool = await limited('memory', 64 * MIB);
      const error = await rejection(pool.call('grow', { mebibytes: 1_024 }));
      expect(error).toMatchObject({
        ...{ code: 'worker_crashed', outcome: 'maybeExecuted', epoch: 1 },
        exitReason: { type: 'signal', signal: 'SIGKILL' },
        crashCause: 'oom_kill',
      });
      expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
    },
  );

  it.skipIf(!mayMakeCgroup('pids'))(
    'P7 that forks without end is refused by the kernel at its limit, and lives (root)',
    async () => {
      const pool = await limited('pids', 40);
      const found = await pool.call('fork_until_refused', { most: 200 });
      expect(found).toMatchObject({ refusal: 'EAGAIN' });
      expect((found as { children: number }).children).toBeLessThan(40);
      expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
    },
  );

  it.skipIf(!ON_LINUX)(
    'P15 is tied by the kernel to the process that started it, but never to a thread of it',
    async () => {
      runtime = await rowsRuntime({}, { zygote: false });
      expect(await runtime.pool('rows').call('pdeathsig')).toBe(SIGKILL);
      host = await RowsHost.startThread();
      expect(await host.call('pdeathsig')).toBe(0);
      const pid = (await host.call('pid')) as number;
      // What is not tied to the thread ends with it all the same: its lanes do.
      await host.end();
      await until(() => !isAlive(pid), PROMISE_MS);
    },
  );
});

describe('a Node', () => {
  it.skipIf(!MAY_REUSE_PIDS)(
    'P16 leaves a stranger alone that has the number of a worker it killed (root)',
    async () => {
      host = await RowsHost.start({ within: WITHIN_PIDS });
      const pid = (await host.call('pid')) as number;
      await host.order('kill', { pid });
      await host.until('child.ready', 2);
      let reused: unknown;
      // Whoever else starts something at this moment may be faster.
      for (let tries = 0; reused !== pid && tries < 20; tries += 1) {
        reused = await host.order('reuse', { pid });
      }
      expect(reused).toBe(pid);
      const second = (await host.call('pid')) as number;
      await host.order('kill', { pid: second });
      await host.until('child.ready', 3);
      await host.order('stop');
      expect(await host.order('lives', { pid })).toBe(true);
    },
  );

  it.skipIf(!ON_LINUX)(
    'R1 without file descriptors fails a start, and serves again when it has some',
    async () => {
      host = await RowsHost.start({ within: ['prlimit', '--nofile=256:256'] });
      const pid = (await host.call('pid')) as number;
      expect(await host.order('takeFiles')).toBeGreaterThan(0);
      await host.order('kill', { pid });
      expect(await host.until('child.crashed', 2)).toMatchObject({
        reason: 'error',
        message: expect.stringContaining('EMFILE') as string,
      });
      await host.until('child.ready', 3);
      expect(await host.call('echo', { a: 1 })).toEqual({ a: 1 });
    },
  );

  it.skipIf(!MAY_MOUNT)(
    'R2 without disk space fails a start, says what it could not write, and serves again when it has some (root)',
    async () => {
      const folder = temporaryFolder();
      const mount = `mount -t tmpfs -o size=64k,nr_inodes=32 none ${folder} && exec "$@"`;
      const within = ['unshare', '--mount', 'sh', '-c', mount, 'sh'];
      host = await RowsHost.start({ within, env: { TMPDIR: folder } });
      const pid = (await host.call('pid')) as number;
      expect(await host.order('takeDisk', { folder })).toBe('ENOSPC');
      await host.order('kill', { pid });
      expect(await host.until('child.crashed', 2)).toMatchObject({
        reason: 'error',
        message: expect.stringContaining('ENOSPC') as string,
      });
      await host.until('child.ready', 3);
      expect(await host.call('echo', { a: 1 })).toEqual({ a: 1 });
    },
  );

  it.skipIf(!ON_LINUX)('R2 whose log cannot be written serves on', async () => {
    const full = openSync('/dev/full', 'w');
    host = await RowsHost.start({ logs: true, stderr: full });
    closeSync(full);
    const pid = (await host.call('pid', {}, { timeoutMs: SOON_MS })) as number;
    await host.order('kill', { pid });
    await host.until('child.ready', 2);
    expect(await host.call('echo', { a: 1 })).toEqual({ a: 1 });
  });
});
