import { describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { CallOptions } from '../../src/calls/call-options.ts';
import { fateOf, type Fate } from '../support/scripted-pool.ts';
import { scriptedPython } from '../support/scripted-python.ts';
import { scriptedBridge } from './scripted-bridge.ts';

const WINDOW = LIMITS.streamCredit;
const next = (value: unknown) => ({ value, done: false });
const DONE = { value: undefined, done: true };

/** A stream of `upTo` numbers, which ends as `then` says. */
function streaming(
  args: object = {},
  options: CallOptions = {},
  given: Parameters<typeof scriptedBridge>[0] = {},
) {
  const setup = scriptedBridge(given);
  const stream = setup.handle.stream<number>('count', { upTo: 3, ...args }, options);
  const read = async (): Promise<Fate> => {
    const fate = fateOf(stream.next());
    await setup.rounds();
    return fate;
  };
  /** Read until it is over, or stops coming. */
  const readAll = async (all: unknown[] = []): Promise<unknown[]> => {
    const { state, value, error } = await read();
    if (state === 'pending') return [...all, 'waits'];
    if (state === 'rejected') return [...all, error?.code];
    const result = value as IteratorResult<number>;
    return result.done === true ? all : readAll([...all, result.value]);
  };
  const itemsSent = (): number => setup.python(1).running.get(1)?.itemsSent ?? -1;
  return { ...setup, stream, read, readAll, itemsSent };
}

describe('a stream', () => {
  it('gives the items in order, then its end, and goes on being over', async () => {
    const { read } = streaming({ upTo: 2 });
    const seen = [await read(), await read(), await read(), await read()];
    expect(seen.map(({ value }) => value)).toEqual([next(0), next(1), DONE, DONE]);
  });

  it('serves those who wait for it before it says anything', async () => {
    const { stream, rounds } = streaming({ upTo: 1 });
    const fates = [stream.next(), stream.next(), stream.next()].map(fateOf);
    await rounds();
    expect(fates.map(({ value }) => value)).toEqual([next(0), DONE, DONE]);
  });

  it('gives each item as the adapter makes it', async () => {
    const adapter = { transformResponse: (_op: string, value: unknown) => Number(value) * 10 };
    const { readAll } = streaming({}, {}, { adapter });
    expect(await readAll()).toEqual([0, 10, 20]);
  });

  it('is one call: it counts once, and leaves its worker idle', async () => {
    const { readAll, pool } = streaming();
    await readAll();
    expect(pool.statistics.counters).toMatchObject({ accepted: 1, completed: 1 });
    expect(pool.statistics.gauges).toMatchObject({ running: 0, idle: 1 });
  });

  it('tells its error behind the items before it, once', async () => {
    const { read, readAll } = streaming({ upTo: 2, then: 'fail' });
    expect([await readAll(), (await read()).value]).toEqual([[0, 1, 'python_error'], DONE]);
  });

  it('tells of a crash behind the items before it, and that it may have run', async () => {
    const { read, readAll } = streaming({ upTo: 2, then: 'exit' });
    await read();
    await read();
    const { error } = await read();
    expect([error?.code, error?.outcome, await readAll()]).toEqual([
      ...['worker_crashed', 'maybeExecuted', []],
    ]);
  });

  it.each([
    ['a bad option', {}, { timeoutMs: -1 }, 'invalid_config'],
    ['a value that cannot cross', { bad: new Map() }, {}, 'unencodable'],
    ['a signal that was aborted before', {}, { signal: AbortSignal.abort() }, 'aborted'],
  ])('tells of %s when it is read', async (_what, args, options, code) => {
    const { readAll, world } = streaming(args, options);
    expect([await readAll(), world.callsWritten]).toEqual([[code], []]);
  });

  it('tells of a bridge that cannot stream, and sends nothing', async () => {
    const { handle, pool, rounds, world } = scriptedBridge();
    const worker = pool.supervisor!.children()[0] as unknown as { readonly abilities: unknown };
    vi.spyOn(worker, 'abilities', 'get').mockReturnValue(new Set());
    const read = fateOf(handle.stream('count').next());
    await rounds();
    expect([read.error?.code, read.error?.outcome, world.callsWritten]).toEqual([
      ...['unsupported', 'notSent', []],
    ]);
  });
});

describe('a slow reader', () => {
  it('stops a fast generator: no more is sent than was asked for', async () => {
    const { rounds, itemsSent, process } = streaming({ upTo: 1_000 });
    await rounds();
    expect([itemsSent(), process().said]).toEqual([WINDOW, []]);
  });

  it('asks for more when half of the window is read, and never has more than the window ahead', async () => {
    const { read, rounds, itemsSent, process } = streaming({ upTo: 1_000 });
    await rounds();
    let ahead = 0;
    for (let count = 1; count <= 3 * WINDOW; count += 1) {
      await read();
      ahead = Math.max(ahead, itemsSent() - count);
    }
    expect(ahead).toBeLessThanOrEqual(WINDOW);
    expect(new Set(process().said)).toEqual(new Set([`credit 1 ${WINDOW / 2}`]));
    expect(process().said).toHaveLength(6);
  });

  it('gets all of it in the end, whatever its length', async () => {
    const upTo = 5 * WINDOW + 3;
    const { readAll } = streaming({ upTo });
    expect(await readAll()).toEqual(Array.from({ length: upTo }, (_, n) => n));
  });

  it('gives no credit to a stream that has ended', async () => {
    const { readAll, rounds, process } = streaming({ upTo: WINDOW });
    await rounds();
    await readAll();
    expect(process().said).toEqual([]);
  });

  it('is not flooded: a worker that sends without credit has broken a rule, and its call is ended', async () => {
    const { rounds, process, readAll } = streaming({ upTo: 0, then: 'hang', endedBy: 'flag' });
    await rounds();
    for (let seq = 0; seq <= WINDOW; seq += 1) {
      process().emit('replies', { type: 'item', id: 1, seq, value: seq });
    }
    await rounds();
    const all = await readAll();
    expect([all.length, all.at(-1)]).toEqual([WINDOW + 1, 'protocol_error']);
    expect(process().said).toContain('cancel 1 flag');
  });
});

describe('a stream that is not read to its end', () => {
  it('is closed by leaving the loop, which waits until the generator is', async () => {
    const { stream, pass, rounds, process, pool } = streaming({
      ...{ upTo: 2, then: 'hang', endedBy: 'raise' },
    });
    const left = fateOf(
      (async () => {
        for await (const item of stream) if (item === 1) break;
        return 'left';
      })(),
    );
    await rounds();
    const before = [left.state, process().said];
    await pass(LIMITS.cancelFlagMs);
    expect(before).toEqual(['pending', ['cancel 1 flag']]);
    expect([left.value, process().said]).toEqual(['left', ['cancel 1 flag', 'cancel 1 raise']]);
    expect(pool.statistics).toMatchObject({ counters: { cancelled: 1 }, gauges: { idle: 1 } });
  });

  it('is closed by `await using`', async () => {
    const { stream, rounds, process } = streaming({ upTo: 1, then: 'hang' });
    const left = fateOf(
      (async () => {
        await using items = stream;
        return (await items.next()).value;
      })(),
    );
    await rounds();
    expect([left.value, process().said]).toEqual([0, ['cancel 1 flag']]);
  });

  it.each(['flag', 'interrupt', 'kill'])('tells what it took to end it: %s', async (endedBy) => {
    const { stream, pass, read } = streaming({ upTo: 1, then: 'hang', endedBy });
    await read();
    const stopped = fateOf(stream.stop());
    await pass(10_000);
    expect([stopped.value, (await read()).value]).toEqual([endedBy, DONE]);
  });

  it('was never sent when it is closed before it has a worker', async () => {
    const { handle, call, rounds, world, pool } = scriptedBridge();
    call('hang');
    const stream = handle.stream('count', { upTo: 1 });
    const stopped = fateOf(stream.stop());
    await rounds();
    expect([stopped.value, pool.statistics.gauges.queued]).toEqual(['not_sent', 0]);
    expect(world.callsWritten.map(({ op }) => op)).toEqual(['hang']);
  });

  it('that is being ended already is waited for, and tells what that took', async () => {
    const python = scriptedPython();
    let refuse = (): void => undefined;
    const onControl: typeof python.onControl = (process, message) => {
      // It takes its time to say that the call has started, and hears nothing of its cancellation.
      const { type, id } = message;
      if (type === 'withdraw')
        refuse = () => process.emit('control', { type: 'withdrawn', id, ok: false });
      else if (type !== 'cancel') python.onControl?.(process, message);
    };
    const { handle, call, pass, rounds } = scriptedBridge({
      options: { prefetch: 1 },
      world: { ...python, onControl },
    });
    call('hang', {}, { timeoutMs: 60_000 });
    const stream = handle.stream('count', { upTo: 1 }, { timeoutMs: 50 });
    await pass(50);
    const stopped = fateOf(stream.stop());
    await rounds();
    const before = stopped.state;
    refuse();
    await pass(10_000);
    expect([before, stopped.value]).toEqual(['pending', 'kill']);
  });

  it('ends for those who wait for it, without an error', async () => {
    const { stream, rounds } = streaming({ upTo: 0, then: 'hang' });
    const waiting = [stream.next(), stream.next()].map(fateOf);
    await rounds();
    void stream.stop();
    await rounds();
    expect(waiting.map(({ value }) => value)).toEqual([DONE, DONE]);
  });

  it('drops what had come and was not read', async () => {
    const { stream, read, rounds } = streaming({ upTo: 3, then: 'hang' });
    await rounds();
    void stream.stop();
    expect((await read()).value).toEqual(DONE);
  });

  it('has nothing to end when it is over', async () => {
    const { stream, readAll, rounds, process } = streaming();
    await readAll();
    const stopped = [stream.stop(), stream.return()].map(fateOf);
    await rounds();
    expect(stopped.map(({ value }) => value)).toEqual([undefined, DONE]);
    expect(process().said).toEqual([]);
  });

  it('is ended, too, when an item cannot be made into what the caller wants', async () => {
    const transformResponse = (_op: string, value: unknown): unknown => {
      if (value === 1) throw new Error('odd');
      return value;
    };
    const { stream, rounds, process } = streaming(
      { upTo: 5, then: 'hang' },
      {},
      { adapter: { transformResponse } },
    );
    const read = fateOf(
      (async () => {
        for await (const _item of stream);
      })(),
    );
    await rounds();
    expect(read.error?.message).toBe('odd');
    expect(process().said).toEqual(['cancel 1 flag']);
  });
});

describe('the deadline of a stream', () => {
  it('covers the whole of it: it ends in the middle, behind the items before', async () => {
    const { read, readAll, pass } = streaming({ upTo: 2, then: 'hang' }, { timeoutMs: 100 });
    await read();
    await pass(100);
    expect(await readAll()).toEqual([1, 'deadline_exceeded']);
  });

  it('ends it also for a reader that waits, and says what it took', async () => {
    const { stream, pass } = streaming({ upTo: 0, then: 'hang' }, { timeoutMs: 100 });
    const waiting = fateOf(stream.next());
    await pass(100);
    expect(waiting.error).toMatchObject({
      ...{ code: 'deadline_exceeded', outcome: 'maybeExecuted' },
      cancellation: { stage: 'flag' },
    });
  });
});

describe('a caller that aborts a stream', () => {
  it('reads what had come, then that it was aborted, with its reason', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const { rounds, read, process } = streaming({ upTo: 2, then: 'hang' }, { signal });
    await rounds();
    controller.abort(new Error('enough'));
    await rounds();
    const seen = [await read(), await read(), await read()];
    expect(seen.map(({ value, error }) => value ?? error?.code)).toEqual([
      ...[next(0), next(1), 'aborted'],
    ]);
    expect(seen[2]?.error?.cause).toEqual(new Error('enough'));
    expect(process().said).toEqual(['cancel 1 flag']);
  });
});
