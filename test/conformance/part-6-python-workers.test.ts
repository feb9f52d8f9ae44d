// Part 6: what OTP's suites cannot know of, since it is about Python processes. P1 to P10, by number, on real processes and real signals.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';

import { call, cast, pythonWorker, type ChildSpec, type ExitReason } from '../../src/otp.ts';
import { callsRuntime } from '../support/calls-runtime.ts';
import { isAlive, processesOf, tokenOf, until } from '../support/processes.ts';
import { echo, endOf, pidOf, pythonTrees, refOf } from '../support/python-trees.ts';
import { fixture, nextEvent, PYTHON, rejection } from '../support/real-runtime.ts';

const trees = pythonTrees();
const SOON_MS = 5_000;
const SLOW = { timeout: 60_000 };

const python = (script: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
  id: script,
  start: pythonWorker({ script: fixture(script), python: PYTHON }),
  ...more,
});

describe('Part 6: Python workers', () => {
  it('P1 a start is done when its handshake is; one that is not in time is a timeout, and its process is killed', async () => {
    const { pids, tree } = trees();
    const sup = await tree({ children: [echo()] });
    expect(await pidOf(await refOf(sup, 'echo'))).toBeTypeOf('number');
    const start = pythonWorker({
      ...{ script: fixture('import_hangs.py'), python: PYTHON },
      startTimeoutMs: 500,
    });
    const error = await rejection(tree({ children: [{ id: 'late', start }] }));
    expect(error).toMatchObject({ reason: { type: 'timeout', what: 'start' } });
    await sup.stop();
    await until(() => [...pids].every((pid) => !isAlive(pid)), SOON_MS);
    expect(pids.size).toBe(2);
  });

  it.each<readonly [how: string, reason: ExitReason, restarted: readonly string[]]>([
    ['exit code 0', { type: 'normal' }, ['permanent']],
    ['exit code 3', { type: 'exit_status', status: 3 }, ['permanent', 'transient']],
    ['a signal', { type: 'signal', signal: 'SIGSEGV' }, ['permanent', 'transient']],
    // What the kernel's OOM killer sends, and all that a parent sees of it.
    ['the OOM killer', { type: 'signal', signal: 'SIGKILL' }, ['permanent', 'transient']],
  ])('P2 %s maps to its reason, and restart types act on it', async (_how, reason, restarted) => {
    const { tree, nextReady } = trees();
    const types = ['permanent', 'transient', 'temporary'] as const;
    const sup = await tree({ children: types.map((restart) => echo({ id: restart, restart })) });
    const refs = await Promise.all(types.map((id) => refOf(sup, id)));
    const processes = await Promise.all(refs.map(pidOf));
    const ends = Promise.all(refs.map(endOf));
    const ready = Promise.all(restarted.map((id) => nextReady(`root/${id}`, 2)));
    for (const [index, ref] of refs.entries()) {
      if (reason.type === 'signal') process.kill(processes[index]!, reason.signal);
      else cast(ref, { type: 'exit', args: { status: reason.type === 'normal' ? 0 : 3 } });
    }
    expect(await ends).toEqual([reason, reason, reason]);
    await ready;
    const children = await sup.whichChildren();
    expect(children.filter(({ child }) => child !== undefined).map(({ id }) => id)).toEqual(
      [...restarted].reverse(),
    );
  });

  it('P3 SIGKILL while it is busy: the pending call is rejected with the reason, and it is restarted once', async () => {
    const { system, tree, nextReady } = trees();
    const starts: number[] = [];
    system.on('child.starting', ({ epoch }) => starts.push(epoch));
    const sup = await tree({ children: [echo()] });
    const ref = await refOf(sup, 'echo');
    const pid = await pidOf(ref);
    const pending = rejection(
      call(ref, { type: 'sleep', args: { seconds: 60 } }, { timeoutMs: 60_000 }),
    );
    const ready = nextReady('root/echo', 2);
    process.kill(pid, 'SIGKILL');
    expect(await pending).toMatchObject({
      code: 'exit',
      reason: { type: 'signal', signal: 'SIGKILL' },
    });
    await ready;
    expect(starts).toEqual([1, 2]);
  });

  it('P4 one that ignores its stop is killed at its shutdown time, and its process group with it', async () => {
    const { system, tree } = trees();
    const printed = new Promise<number>((resolve) => {
      system.on('worker.output', ({ line }) => {
        const found = /^grandchild (\d+)$/u.exec(line);
        if (found !== null) resolve(Number(found[1]));
      });
    });
    const sup = await tree({ children: [echo({ shutdown: 200 })] });
    const ref = await refOf(sup, 'echo');
    const pid = await pidOf(ref);
    cast(ref, { type: 'spin' });
    const grandchild = await printed;
    // Deaf to the graceful message, and stopped so that SIGTERM waits.
    process.kill(pid, 'SIGSTOP');
    await sup.terminateChild('echo');
    expect(ref.exitReason).toEqual({ type: 'killed' });
    await until(() => !isAlive(pid) && !isAlive(grandchild), SOON_MS);
  });

  it('P5 the crash of Node leaves no orphan', SLOW, async () => {
    const host = path.resolve(import.meta.dirname, '../../dist/test/faults/orphans-host.js');
    const order = {
      ...{ script: fixture('orphan_bridge.py'), python: PYTHON, size: 2 },
      ...{ op: 'shell', then: 'wait' },
    };
    const node = spawn(process.execPath, [host, JSON.stringify(order)], {
      env: { ...process.env, TMPDIR: trees().folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pids: number[] = [];
    const busy = new Promise<void>((resolve) => {
      let count = 0;
      createInterface({ input: node.stdout }).on('line', (line) => {
        const fact = JSON.parse(line) as { type: string; pid?: number };
        if (fact.type === 'pid') pids.push(fact.pid!);
        if (fact.type === 'busy' && (count += 1) === order.size) resolve();
      });
    });
    await busy;
    const token = tokenOf(pids[0]!)!;
    expect(processesOf(token).length).toBeGreaterThanOrEqual(4);
    node.kill('SIGKILL');
    await until(() => processesOf(token).length === 0 && !pids.some(isAlive), 1_000);
    // Its folder is swept by the next run below the same one.
    await (await trees().tree({ children: [echo()] })).stop();
  });

  it(
    'P6 an import error at every start is counted for each try: exactly maxRestarts more, then the supervisor ends',
    SLOW,
    async () => {
      const { system, tree } = trees();
      const starts: number[] = [];
      system.on('child.starting', ({ epoch }) => starts.push(epoch));
      const broken = python('import_raises.py', { ack: 'spawned' });
      const sup = await tree({ maxRestarts: 2, periodMs: 3_600_000, children: [broken] });
      expect(await sup.exited).toEqual({ type: 'shutdown' });
      expect(starts).toEqual([1, 2, 3]);
    },
  );

  it(
    'P6 a pool ends earlier: at the first, when no worker of it has ever been ready',
    SLOW,
    async () => {
      const error = await rejection(callsRuntime({}, { script: 'import_raises.py' }));
      expect(error).toMatchObject({ code: 'pool_failed' });
      expect(error.message).toContain('not retryable');
    },
  );

  it('P7 nothing of an old incarnation reaches a caller of the new one', async () => {
    const runtime = await callsRuntime({ size: 1 });
    try {
      const bridge = runtime.pool('calls');
      const pid = (await bridge.call('pid')) as number;
      const old = rejection(bridge.call('compute', { seconds: 0.3 }));
      // Stopped in the middle: whatever it would still say belongs to epoch 1.
      process.kill(pid, 'SIGSTOP');
      const ready = nextEvent(runtime, 'child.ready', ({ epoch }) => epoch === 2);
      process.kill(pid, 'SIGKILL');
      expect(await old).toMatchObject({ code: 'worker_crashed', epoch: 1 });
      await ready;
      expect(await bridge.call('echo', { fresh: true })).toEqual({ fresh: true });
    } finally {
      await runtime.stop();
    }
  });

  it('P8 one_for_all: a group that shares a device is ended and started together', async () => {
    const { tree, nextReady } = trees();
    const children = [echo({ id: 'a' }), echo({ id: 'b' }), echo({ id: 'c' })];
    const sup = await tree({ strategy: 'one_for_all', children });
    const ids = ['a', 'b', 'c'];
    const before = await Promise.all(ids.map(async (id) => pidOf(await refOf(sup, id))));
    const ready = Promise.all(ids.map((id) => nextReady(`root/${id}`, 2)));
    process.kill(before[1]!, 'SIGKILL');
    await ready;
    const after = await Promise.all(ids.map(async (id) => pidOf(await refOf(sup, id))));
    expect(before.filter(isAlive)).toEqual([]);
    expect(after.some((pid) => before.includes(pid))).toBe(false);
  });

  it('P9 a hung worker, which answers no heartbeat, is killed with that reason', async () => {
    const runtime = await callsRuntime({ size: 1, heartbeatMs: 200 });
    try {
      const pid = (await runtime.pool('calls').call('pid')) as number;
      const crashed = nextEvent(runtime, 'child.crashed');
      process.kill(pid, 'SIGSTOP');
      expect(await crashed).toMatchObject({ reason: { type: 'timeout', what: 'heartbeat' } });
    } finally {
      await runtime.stop();
    }
  });

  it('P9 also outside of pools', async () => {
    const { tree, nextReady } = trees();
    const script = fixture('echo_bridge.py');
    const start = pythonWorker({ script, python: PYTHON, heartbeatMs: 200 });
    const ref = await refOf(await tree({ children: [{ id: 'hung', start }] }), 'hung');
    const pid = await pidOf(ref);
    const ended = endOf(ref);
    const ready = nextReady('root/hung', 2);
    process.kill(pid, 'SIGSTOP');
    expect(await ended).toEqual({ type: 'timeout', what: 'heartbeat' });
    await ready;
  });

  it.each(['multiprocessing', 'shell', 'session', 'daemon'])(
    'P10 grandchildren die with their worker: %s',
    SLOW,
    async (op) => {
      const { pids, system, tree, nextReady } = trees();
      const started: number[] = [];
      system.on('worker.output', ({ line }) => {
        const found = /^pid (\d+)$/u.exec(line);
        if (found !== null) started.push(Number(found[1]));
      });
      const busy = new Promise<void>((resolve) => {
        system.on('worker.output', ({ line }) => {
          if (line.startsWith('busy')) resolve();
        });
      });
      const sup = await tree({ children: [python('orphan_bridge.py', { id: 'parent' })] });
      const ref = await refOf(sup, 'parent');
      cast(ref, { type: op });
      await busy;
      expect(started.length).toBeGreaterThanOrEqual(2);
      const ready = nextReady('root/parent', 2);
      process.kill([...pids][0]!, 'SIGKILL');
      await until(() => !started.some(isAlive), SOON_MS);
      await ready;
    },
  );
});
