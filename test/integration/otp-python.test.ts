// Does a Python process live in a supervision tree as any other child does, and is it called as any other? Real processes, real signals.
import { readdirSync } from 'node:fs';
import { fromCallback } from 'xstate';
import { describe, expect, it } from 'vitest';

import { PythonError } from '../../src/index.ts';
import { call, cast, supervisor } from '../../src/otp.ts';
import { echo, endOf, pidOf, pythonTrees, refOf } from '../support/python-trees.ts';
import { isAlive, rejection } from '../support/real-runtime.ts';

const trees = pythonTrees();
const plain = fromCallback(() => undefined);

describe('a call of a Python worker', () => {
  it('runs the operation and gives its result, one call after the other', async () => {
    const { system, tree } = trees();
    const ref = await refOf(await tree({ children: [echo({ name: 'echo' })] }), 'echo');
    const args = { text: 'hello', deep: [1, { two: 2 }] };
    expect(await call(ref, { type: 'echo', args })).toEqual(args);
    const many = Array.from({ length: 50 }, (_, index) => index);
    const asked = many.map((n) => call('echo', { type: 'echo', args: { n } }, { system }));
    expect(await Promise.all(asked)).toEqual(many.map((n) => ({ n })));
  });

  it('rejects with what Python raised, and the worker lives', async () => {
    const { system, tree } = trees();
    const ref = await refOf(await tree({ children: [echo()] }), 'echo');
    const error = await rejection(call(ref, { type: 'raise', args: { message: 'no' } }));
    expect(error).toBeInstanceOf(PythonError);
    expect(error).toMatchObject({ pythonType: 'ValueError', workerId: 'root/echo', epoch: 1 });
    for (const args of [{ n: new Map() }, [1]]) {
      const refused = await rejection(call(ref, { type: 'echo', args }));
      expect(refused).toMatchObject({ code: 'unencodable', outcome: 'notSent' });
    }
    cast(ref, { type: 'echo', args: { n: Symbol('no') } });
    expect(system.deadLettersCount).toBe(1);
    expect(await rejection(call(ref, { type: 'unknown' }))).toBeInstanceOf(PythonError);
    expect(ref.exitReason).toBeUndefined();
  });

  it('rejects with the exit reason when the process dies under it', async () => {
    const { tree, nextReady } = trees();
    const sup = await tree({ children: [echo()] });
    const ref = await refOf(sup, 'echo');
    const pid = await pidOf(ref);
    const busy = rejection(call(ref, { type: 'sleep', args: { seconds: 60 } }));
    const ready = nextReady('root/echo', 2);
    process.kill(pid, 'SIGKILL');
    const reason = { type: 'signal', signal: 'SIGKILL' };
    expect(await busy).toMatchObject({ code: 'exit', outcome: 'maybeExecuted', reason });
    expect(await rejection(call(ref, { type: 'pid' }))).toMatchObject({ code: 'noproc' });
    await ready;
    expect(await pidOf(await refOf(sup, 'echo'))).not.toBe(pid);
  });

  it('that times out leaves the worker alone: it finishes, and its reply is dropped', async () => {
    const { system, tree } = trees();
    const ref = await refOf(await tree({ children: [echo()] }), 'echo');
    const pid = await pidOf(ref);
    const dropped = new Promise((resolve) => system.on('reply.dropped', resolve));
    const slow = { type: 'sleep', args: { seconds: 0.2 } };
    expect(await rejection(call(ref, slow, { timeoutMs: 50 }))).toMatchObject({ code: 'timeout' });
    expect(await dropped).toMatchObject({ path: 'root/echo', epoch: 1 });
    expect(await pidOf(ref)).toBe(pid);
  });

  it('to which nobody waits runs all the same: a cast', async () => {
    const { tree } = trees();
    const ref = await refOf(await tree({ children: [echo()] }), 'echo');
    cast(ref, { type: 'remember', args: { id: 'x', value: 42 } });
    expect(await call(ref, { type: 'recall', args: { id: 'x' } })).toBe(42);
  });

  it('before it is ready is refused at once', async () => {
    const { tree } = trees();
    const sup = await tree({ children: [echo({ ack: 'spawned' })] });
    const ref = await refOf(sup, 'echo');
    expect(await rejection(call(ref, { type: 'pid' }))).toMatchObject({
      code: 'noproc',
      outcome: 'notSent',
    });
  });
});

describe('a mixed tree', () => {
  it('restarts a killed worker and whoever stands after it, and no one before', async () => {
    const { pids, tree, nextReady } = trees();
    const sup = await tree({
      strategy: 'rest_for_one',
      children: [
        { id: 'before', start: plain },
        echo(),
        { id: 'after', start: plain },
        {
          id: 'nested',
          start: supervisor({ children: [{ id: 'inner', start: plain }, echo({ id: 'deep' })] }),
        },
      ],
    });
    const epochs = async (): Promise<readonly (number | undefined)[]> =>
      Promise.all(
        ['before', 'echo', 'after', 'nested'].map(async (id) => (await refOf(sup, id)).epoch),
      );
    expect(await epochs()).toEqual([1, 1, 1, 1]);
    const ref = await refOf(sup, 'echo');
    const pid = await pidOf(ref);
    const ended = endOf(ref);
    const deepReady = nextReady('root/nested/deep', 1);
    process.kill(pid, 'SIGKILL');
    expect(await ended).toEqual({ type: 'signal', signal: 'SIGKILL' });
    await deepReady;
    expect(await epochs()).toEqual([1, 2, 2, 2]);
    const again = await pidOf(await refOf(sup, 'echo'));
    expect([again === pid, isAlive(pid), isAlive(again)]).toEqual([false, false, true]);
    await sup.stop();
    expect([...pids].filter(isAlive)).toEqual([]);
  });

  it('shares one socket for all its workers, and closes it after the last', async () => {
    const { folder, tree, folderIsEmpty } = trees();
    const sup = await tree({
      children: [echo({ id: 'a' }), echo({ id: 'b' })],
    });
    expect(readdirSync(folder)).toHaveLength(1);
    await sup.terminateChild('a');
    expect(readdirSync(folder)).toHaveLength(1);
    await sup.terminateChild('b');
    await folderIsEmpty();
    await sup.restartChild('a');
    expect(await pidOf(await refOf(sup, 'a'))).toBeGreaterThan(0);
  });
});
