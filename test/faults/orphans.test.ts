// Does anything of a run outlive its Node, whatever Node dies of and whatever the workers do? Rows P7 and P14 of the fault taxonomy, on real processes.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { linuxHost } from '../../actors/port/host.ts';
import { guardiansOf, isAlive, processesOf, tokenOf, until } from '../support/processes.ts';
import { fixture, PYTHON } from '../support/real-runtime.ts';
import type { HostFact, HostOrder } from './orphans-host.ts';

const HOST = path.resolve(import.meta.dirname, '../../dist/test/faults/orphans-host.js');
/** What is promised: `docs/protocol.md` §8. */
const PROMISE_MS = 1_000;
const START_MS = 30_000;
const WORKERS = 2;
const ON_LINUX = process.platform === 'linux';

let folder: string;
let hosts: Host[];

beforeEach(() => {
  // A Node that is killed leaves its folder: it lies in one of this test's.
  folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
  hosts = [];
});

afterEach(() => {
  for (const host of hosts) host.destroy();
  rmSync(folder, { recursive: true, force: true });
});

/** A Node that embeds the runtime. */
class Host {
  readonly process: ChildProcess;
  readonly #facts: HostFact[] = [];
  readonly #closed: Promise<void>;

  constructor(order: Partial<HostOrder> & Pick<HostOrder, 'op'>) {
    const given = { script: fixture('orphan_bridge.py'), python: PYTHON, size: WORKERS };
    const argument = JSON.stringify({ ...given, then: 'wait', ...order });
    const child = spawn(process.execPath, [HOST, argument], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.process = child;
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => this.#facts.push(JSON.parse(line) as HostFact));
    this.#closed = new Promise((resolve) => child.once('close', () => resolve()));
    hosts.push(this);
  }

  /** All processes that it named. */
  get pids(): readonly number[] {
    return this.#facts.flatMap((fact) => (fact.type === 'pid' ? [fact.pid] : []));
  }

  /** Started by one of its workers. */
  isGrandchild(pid: number): boolean {
    return this.pids.includes(parentOf(pid) ?? 0);
  }

  async until(type: HostFact['type'], count = 1): Promise<void> {
    await until(() => this.#facts.filter((fact) => fact.type === type).length >= count, START_MS);
  }

  /** Its workers do what they were asked to. @returns the token of its run, and its guardian. */
  async busy(): Promise<{ readonly token: string; readonly guardian: number }> {
    await this.until('busy', WORKERS);
    const token = tokenOf(this.pids[0]!)!;
    expect(this.pids.filter((pid) => !isAlive(pid))).toEqual([]);
    expect(this.pids.map(tokenOf).filter((each) => each !== undefined && each !== token)).toEqual(
      [],
    );
    const guardians = guardiansOf(token);
    expect(guardians).toHaveLength(1);
    return { token, guardian: guardians[0]! };
  }

  async closed(): Promise<number | null> {
    await this.#closed;
    return this.process.exitCode;
  }

  /** No process that it named, or that carries its token, lives; nor does its guardian. */
  isGone(token: string): boolean {
    const named = this.pids.filter(isAlive);
    return named.length === 0 && processesOf(token).length + guardiansOf(token).length === 0;
  }

  /** Whatever a failed test left. */
  destroy(): void {
    this.process.kill('SIGKILL');
    for (const pid of this.pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
}

function parentOf(pid: number): number | undefined {
  return linuxHost.readProcess(pid)?.parentPid;
}

function runFolders(): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith('caduceus-'));
}

const report = (what: string, tookMs: number): void => {
  if (process.env['CADUCEUS_FIGURES'] !== undefined) {
    process.stdout.write(`${what}: gone after ${tookMs.toFixed(0)} ms\n`);
  }
};

const WAYS: readonly (readonly [string, string, number])[] = [
  ['are idle', 'idle', 1],
  ['compute in Python', 'python', 1],
  ['hold the interpreter lock in a sort', 'sorted', 1],
  ['hold it in one multiplication after the other', 'pow', 1],
  ['hold it in a regular expression', 'regex', 1],
  ['have a child in their own group', 'group_child', 2],
  ['have a child without our variables', 'bare_child', 2],
  ['run a shell that has children', 'shell', 3],
  ['have a grandchild in a session of its own', 'session', 2],
  ['have such a grandchild and compute', 'session_while_busy', 2],
  ['have started a daemon', 'daemon', 2],
  ['have children of multiprocessing', 'multiprocessing', 4],
];

describe.skipIf(!ON_LINUX)(
  'a Node that is killed with SIGKILL (P14)',
  { timeout: 2 * START_MS },
  () => {
    it.each(WAYS)(
      'leaves nobody for longer than a second when its workers %s',
      async (what, op, pidsCount) => {
        const host = new Host({ op });
        const { token } = await host.busy();
        expect(host.pids.length).toBeGreaterThanOrEqual(pidsCount * WORKERS);
        host.process.kill('SIGKILL');
        report(what, await until(() => host.isGone(token), PROMISE_MS));
      },
    );

    it('leaves nobody when its guardian was killed before it, and replaced', async () => {
      const host = new Host({ op: 'session_while_busy' });
      const { token, guardian } = await host.busy();
      process.kill(guardian, 'SIGKILL');
      await host.until('replaced');
      expect(guardiansOf(token)).toHaveLength(1);
      expect(guardiansOf(token)).not.toContain(guardian);
      host.process.kill('SIGKILL');
      report('guardian first', await until(() => host.isGone(token), PROMISE_MS));
    });

    it('leaves no worker when its guardian dies with it, and its next start finds the grandchildren by the ledger', async () => {
      const host = new Host({ op: 'session_while_busy' });
      const { token, guardian } = await host.busy();
      const grandchildren = host.pids.filter((pid) => host.isGrandchild(pid));
      expect(grandchildren).toHaveLength(WORKERS);
      // Stopped, it cannot replace its guardian any more: as if both were killed at one moment.
      host.process.kill('SIGSTOP');
      process.kill(guardian, 'SIGKILL');
      host.process.kill('SIGKILL');
      // The kernel ends the workers. Who is in a session of its own has nobody left who knows it: this is all that is promised now.
      const workers = host.pids.filter((pid) => !grandchildren.includes(pid));
      report('both at once, workers', await until(() => !workers.some(isAlive), PROMISE_MS));
      expect(grandchildren.every(isAlive)).toBe(true);
      expect(runFolders()).toHaveLength(1);
      const next = new Host({ op: 'idle' });
      await next.busy();
      expect(host.isGone(token)).toBe(true);
      expect(runFolders()).toHaveLength(1);
    });

    it('is swept by nobody while it lives', async () => {
      const first = new Host({ op: 'session' });
      const { token } = await first.busy();
      const second = new Host({ op: 'idle' });
      await second.busy();
      expect(first.pids.every(isAlive)).toBe(true);
      expect(guardiansOf(token)).toHaveLength(1);
      expect(runFolders()).toHaveLength(2);
    });
  },
);

describe.skipIf(!ON_LINUX)('a Node that ends by itself', { timeout: 2 * START_MS }, () => {
  it('without stopping leaves no process, no guardian and no folder', async () => {
    const host = new Host({ op: 'session', then: 'exit' });
    await host.until('busy', WORKERS);
    const token = tokenOf(host.pids[0]!);
    expect(await host.closed()).toBe(0);
    await until(() => host.isGone(token ?? 'none'), PROMISE_MS);
    expect(runFolders()).toEqual([]);
  });

  it('after a stop leaves nothing at the moment that the stop is over', async () => {
    const host = new Host({ op: 'session', then: 'stop' });
    await host.until('stopped');
    expect(host.pids.filter(isAlive)).toEqual([]);
    expect(runFolders()).toEqual([]);
    expect(await host.closed()).toBe(0);
  });
});

describe.skipIf(!ON_LINUX)('a worker that is killed (P7)', { timeout: 2 * START_MS }, () => {
  it('takes its grandchildren with it, those in sessions of their own too, and nobody else’s', async () => {
    const host = new Host({ op: 'session_while_busy' });
    const { token } = await host.busy();
    const [worker, ...others] = host.pids.filter((pid) => !host.isGrandchild(pid));
    const grandchild = host.pids.find((pid) => parentOf(pid) === worker)!;
    process.kill(worker!, 'SIGKILL');
    await until(() => !isAlive(grandchild), PROMISE_MS);
    await host.until('crashed');
    expect(others.every(isAlive)).toBe(true);
    expect(processesOf(token).length).toBeGreaterThanOrEqual(2);
  });
});

describe.skipIf(!ON_LINUX)('a guardian', { timeout: 2 * START_MS }, () => {
  it('does not hear the signals that end others', async () => {
    const host = new Host({ op: 'session' });
    const { token, guardian } = await host.busy();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(guardian, signal);
    host.process.kill('SIGKILL');
    await until(() => host.isGone(token), PROMISE_MS);
  });
});
