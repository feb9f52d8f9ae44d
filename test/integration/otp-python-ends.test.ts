// How do Python processes end and fail to start under a supervisor, and what follows? Real processes, real signals.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fromCallback } from 'xstate';
import { describe, expect, it } from 'vitest';

import { BridgeStartError } from '../../src/index.ts';
import { cast, pythonWorker, stop, type ChildSpec, type ExitReason } from '../../src/otp.ts';
import { echo, endOf, pidOf, pythonTrees, refOf } from '../support/python-trees.ts';
import { fixture, isAlive, PYTHON, rejection } from '../support/real-runtime.ts';

const trees = pythonTrees();
const plain = fromCallback(() => undefined);
const STARTS_MS = 15_000;

describe('how a process ends (P2)', () => {
  const cases: readonly [
    string,
    Partial<Record<string, unknown>>,
    ExitReason,
    readonly string[],
  ][] = [
    ['status 0', { status: 0 }, { type: 'normal' }, ['permanent']],
    ['status 3', { status: 3 }, { type: 'exit_status', status: 3 }, ['permanent', 'transient']],
  ];
  it.each(cases)(
    '%s: its reason, and which restart types start again',
    async (_, args, reason, restarted) => {
      const { tree, nextReady } = trees();
      const types = ['permanent', 'transient', 'temporary'] as const;
      const sup = await tree({ children: types.map((restart) => echo({ id: restart, restart })) });
      const refs = await Promise.all(types.map((id) => refOf(sup, id)));
      const ready = Promise.all(restarted.map((id) => nextReady(`root/${id}`, 2)));
      const ends = Promise.all(refs.map(endOf));
      for (const ref of refs) cast(ref, { type: 'exit', args });
      expect(await ends).toEqual([reason, reason, reason]);
      await ready;
      const left = (await sup.whichChildren()).map(({ id, child }) => [id, typeof child]);
      const alive = (id: string): string => (restarted.includes(id) ? 'object' : 'undefined');
      expect(left).toEqual([
        ['transient', alive('transient')],
        ['permanent', alive('permanent')],
      ]);
    },
  );

  it.each(['SIGTERM', 'SIGSEGV'] as const)(
    '%s of others is a signal, and abnormal',
    async (signal) => {
      const { tree, nextReady } = trees();
      const sup = await tree({ children: [echo({ restart: 'transient' })] });
      const ref = await refOf(sup, 'echo');
      const ended = endOf(ref);
      const ready = nextReady('root/echo', 2);
      process.kill(await pidOf(ref), signal);
      expect(await ended).toEqual({ type: 'signal', signal });
      await ready;
    },
  );

  it('stopped by its reference: with that reason, and a permanent one is started again', async () => {
    const { tree, nextReady } = trees();
    const sup = await tree({ maxRestarts: 1, children: [echo()] });
    const ref = await refOf(sup, 'echo');
    const pid = await pidOf(ref);
    const ready = nextReady('root/echo', 2);
    expect(await stop(ref)).toEqual({ type: 'normal' });
    await ready;
    expect(isAlive(pid)).toBe(false);
    expect(await pidOf(await refOf(sup, 'echo'))).not.toBe(pid);
  });

  it('asked to stop: shutdown; killed by us: killed', async () => {
    const { tree } = trees();
    const sup = await tree({
      children: [echo({ id: 'a' }), echo({ id: 'b', shutdown: 'brutal_kill' })],
    });
    const refs = [await refOf(sup, 'a'), await refOf(sup, 'b')];
    await sup.terminateChild('a');
    await sup.terminateChild('b');
    expect(refs.map((ref) => ref.exitReason)).toEqual([{ type: 'shutdown' }, { type: 'killed' }]);
  });
});

describe('an import that fails (P6)', () => {
  const broken = (more: Partial<ChildSpec> = {}): ChildSpec => ({
    id: 'broken',
    start: pythonWorker({ script: fixture('import_raises.py'), python: PYTHON }),
    ...more,
  });

  it('at the first start fails that start, with Python’s traceback', async () => {
    const { tree } = trees();
    const error = await rejection(tree({ children: [{ id: 'a', start: plain }, broken()] }));
    expect(error).toMatchObject({ code: 'failed_to_start_child', child: 'broken' });
    expect(error.cause).toBeInstanceOf(BridgeStartError);
    expect(error.cause).toMatchObject({
      traceback: expect.stringContaining('broken by design') as string,
    });
  });

  it(
    'is tried exactly maxRestarts more times, then the supervisor ends',
    { timeout: 60_000 },
    async () => {
      const { system, tree } = trees();
      const starts: number[] = [];
      system.on('child.starting', ({ epoch }) => starts.push(epoch));
      const sup = await tree({
        maxRestarts: 2,
        periodMs: 3_600_000,
        children: [broken({ ack: 'spawned' })],
      });
      expect(await sup.exited).toEqual({ type: 'shutdown' });
      expect(starts).toEqual([1, 2, 3]);
    },
  );

  it('in a restart counts each try', { timeout: 60_000 }, async () => {
    const { system, folder, tree } = trees();
    const flag = path.join(folder, 'fail');
    const gated = pythonWorker({
      script: fixture('import_if.py'),
      python: PYTHON,
      env: { FAIL_IF: flag },
    });
    const starts: number[] = [];
    system.on('child.starting', ({ epoch }) => starts.push(epoch));
    const sup = await tree({
      maxRestarts: 2,
      periodMs: 3_600_000,
      children: [{ id: 'gated', start: gated }],
    });
    const pid = await pidOf(await refOf(sup, 'gated'));
    writeFileSync(flag, '');
    process.kill(pid, 'SIGKILL');
    expect(await sup.exited).toEqual({ type: 'shutdown' });
    expect(starts).toEqual([1, 2, 3]);
    rmSync(flag);
  });

  it('that no restart can mend gives up at once', async () => {
    const { system, tree } = trees();
    const starts: number[] = [];
    system.on('child.starting', ({ epoch }) => starts.push(epoch));
    const isRetryable = (reason: ExitReason): boolean =>
      !(reason.type === 'error' && reason.error instanceof BridgeStartError);
    const sup = await tree({ children: [broken({ ack: 'spawned', isRetryable })] });
    expect(await sup.exited).toEqual({ type: 'shutdown' });
    expect(starts).toEqual([1]);
  });
});

describe('a start that is called off', () => {
  it('before there is a process leaves nothing, and ends as shutdown', async () => {
    const { pids, tree } = trees();
    const sup = await tree({ children: [echo({ ack: 'spawned' })] });
    const ref = await refOf(sup, 'echo');
    await sup.stop();
    expect(ref.exitReason).toEqual({ type: 'shutdown' });
    expect(pids.size).toBe(0);
  });

  it('while Python imports ends the process', { timeout: 30_000 }, async () => {
    const { system, tree } = trees();
    const hangs = pythonWorker({ script: fixture('import_hangs.py'), python: PYTHON });
    const launched = new Promise<number>((resolve) => {
      system.on('child.launched', ({ pid }) => resolve(pid));
    });
    const sup = await tree({ children: [{ id: 'a', start: hangs, ack: 'spawned' }] });
    const pid = await launched;
    await sup.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('by its own time is a crash, and the process is gone', { timeout: STARTS_MS }, async () => {
    const { tree } = trees();
    const script = fixture('import_hangs.py');
    const start = pythonWorker({ script, python: PYTHON, startTimeoutMs: 500 });
    expect(await rejection(tree({ children: [{ id: 'a', start }] }))).toMatchObject({
      reason: { type: 'timeout', what: 'start' },
    });
  });
});

describe('what cannot start', () => {
  it('is said by the specification where it can be known', () => {
    expect(() => pythonWorker({ script: './none.py' })).toThrow(
      expect.objectContaining({ code: 'script_not_found' }),
    );
    for (const options of [
      {},
      { script: 'a.py', module: 'a' },
      { module: '' },
      { module: 'a', env: { A: 1 } },
      { module: 'a', startTimeoutMs: 0 },
      { module: 'a', requiredPackages: 'b' },
      { module: 'a', unknown: 1 },
      { module: 'a', heartbeatMs: 1 },
      { module: 'a', gilHoldMsMax: 0 },
      { module: 'a', limits: { unknown: 1 } },
      { module: 'a', limits: { cpuMsMax: 0 } },
    ]) {
      expect(() => pythonWorker(options as never)).toThrow(
        expect.objectContaining({ code: 'invalid_config' }),
      );
    }
  });

  it('for want of an interpreter is a start error, and is asked again the next time', async () => {
    const { tree } = trees();
    const start = pythonWorker({ script: fixture('echo_bridge.py'), python: '/no/such/python' });
    for (let time = 0; time < 2; time += 1) {
      const error = await rejection(tree({ children: [{ id: 'a', start }] }));
      expect(error.cause).toMatchObject({ code: 'python_not_found' });
    }
  });
});
