// How does a test get a pool whose calls travel together, and workers that answer each of them?
import { expect } from 'vitest';
import type { CallRequest } from '../../../supervisors/pool/call-row.ts';
import type { PoolOptions } from '../../../supervisors/pool/pool-options.ts';
import type { ScriptedPython } from '../../support/scripted-python.ts';
import type { CallMessage, ScriptedProcess, WorldOptions } from '../../support/scripted-world.ts';
import { pooled } from './calling.ts';

/** Of the operation `embed` here. */
export const BATCH = { maxSize: 4, maxWaitMs: 10 };

type Args = Readonly<Record<string, unknown>>;

/** The calls of a batch, or the one call. */
function callsIn({ args, batch }: CallMessage): readonly Args[] {
  return batch === undefined ? [args] : (args['calls'] as readonly Args[]);
}

/** What each call asks for: `fail`, `exit` (of the process), `hang`, `device` (an error of its GPU); else its `n` comes back. */
export function work(process: ScriptedProcess, call: CallMessage): void {
  const calls = callsIn(call);
  if (calls.some(({ exit }) => exit === true)) {
    process.exit(9, null);
    return;
  }
  if (calls.some(({ hang }) => hang === true)) return;
  const error = (message: string) => {
    return { type: 'RuntimeError', message, traceback: 'T', code: 'python_error' };
  };
  if (call.op === 'whole') {
    process.fail(call.id, 'invalid_batch');
    return;
  }
  const outcomes = calls.map(({ n, fail, device }) => {
    if (fail === true) return { ok: false, error: error('no') };
    if (device === true)
      return { ok: false, error: error('CUDA error: an illegal memory access was encountered') };
    return { ok: true, result: n };
  });
  if (call.batch !== undefined) {
    process.reply(call.id, outcomes);
    return;
  }
  const [only] = outcomes;
  if (only?.ok === true) process.reply(call.id, only.result);
  else process.fail(call.id, 'python_error');
}

export function batching(
  options: PoolOptions = {},
  world: Partial<WorldOptions & ScriptedPython> = {},
) {
  const setup = pooled(options, { onCall: work, ...world });
  const embed = (args: Args, more: Partial<CallRequest> = {}) =>
    setup.call('embed', args, { batch: BATCH, ...more });
  /** How many calls each message had, in the order in which they were written; 0 for one that is no batch. */
  const sizes = (): readonly number[] => setup.world.callsWritten.map(({ batch }) => batch ?? 0);
  const books = () => {
    const { gauges, counters } = setup.pool.statistics;
    const { accepted, completed, failed, cancelled } = counters;
    const { queued, running } = gauges;
    expect(accepted).toBe(completed + failed + cancelled + queued + running);
    return { accepted, completed, failed, cancelled, queued, running };
  };
  return { ...setup, embed, sizes, books };
}
