// Does a v1 script live in a supervision tree as any other child does? Real processes, real signals.
import { describe, expect, it } from 'vitest';

import { PythonError } from '../../src/index.ts';
import { call, pythonWorker, type ChildSpec } from '../../src/otp.ts';
import { legacyScript } from '../support/legacy-runtime.ts';
import { pidOf, pythonTrees, refOf } from '../support/python-trees.ts';
import { PYTHON, rejection } from '../support/real-runtime.ts';

const trees = pythonTrees();

const legacy = (script = 'faulty_v1.py', more: Partial<ChildSpec> = {}): ChildSpec => ({
  id: 'legacy',
  start: pythonWorker({ script: legacyScript(script), protocol: 'v1', python: PYTHON }),
  ...more,
});

describe('a v1 script as a child', () => {
  it('runs operations in the order in which they are asked for', async () => {
    const { tree } = trees();
    const ref = await refOf(await tree({ children: [legacy()] }), 'legacy');
    const many = Array.from({ length: 30 }, (_, n) => ({ n }));
    const asked = many.map((args) => call(ref, { type: 'echo', args }));
    expect(await Promise.all(asked)).toEqual(many);
    expect(await rejection(call(ref, { type: 'fail' }))).toBeInstanceOf(PythonError);
  });

  it('is restarted when it dies, and its call has the reason', async () => {
    const { tree, nextReady } = trees();
    const sup = await tree({ children: [legacy()] });
    const ref = await refOf(sup, 'legacy');
    const pid = await pidOf(ref);
    const busy = rejection(call(ref, { type: 'sleep', args: { seconds: 60 } }));
    const ready = nextReady('root/legacy', 2);
    process.kill(pid, 'SIGKILL');
    expect(await busy).toMatchObject({
      ...{ code: 'exit', outcome: 'maybeExecuted' },
      reason: { type: 'signal', signal: 'SIGKILL' },
    });
    await ready;
    expect(await pidOf(await refOf(sup, 'legacy'))).not.toBe(pid);
  });

  it('goes by itself when its tree is stopped: the ported bridge needs no ladder', async () => {
    const { tree } = trees();
    // Longer than this test may take.
    const sup = await tree({ children: [legacy('my_ml_bridge.py', { shutdown: 60_000 })] });
    const ref = await refOf(sup, 'legacy');
    expect(await call(ref, { type: 'my_operation' })).toEqual({ result: 'success' });
    await sup.stop();
    expect(ref.exitReason).toEqual({ type: 'shutdown' });
  });

  it('that cannot import is a start error with the exception', async () => {
    const { tree } = trees();
    const error = await rejection(tree({ children: [legacy('import_raises_v1.py')] }));
    expect(error).toMatchObject({
      reason: { error: { code: 'bridge_start_failed', pythonType: 'ModuleNotFoundError' } },
    });
  });
});

describe('the options of a v1 script', () => {
  const script = legacyScript('faulty_v1.py');

  it.each([
    [{ protocol: 'v1', module: 'my_pkg.bridge' }, 'script'],
    [{ protocol: 'v1', script, class: 'Mine' }, 'class'],
    [{ protocol: 'v2', script }, 'protocol'],
  ])('are refused where they mean nothing: %j', (options, field) => {
    expect(() => pythonWorker(options as never)).toThrow(
      expect.objectContaining({ field }) as Error,
    );
  });
});
