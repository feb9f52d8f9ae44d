// Is layer 1 the runtime as it is, without a process? Its answers come from mocks, all else from production's own code.
import { afterEach, describe, expect, it } from 'vitest';

import { createRuntime, defineAdapter, type Runtime } from '../../../../src/index.ts';
import { createTestRuntime, misbehave } from '../../../../src/testing/index.ts';
import { wordsAdapter } from '../../../support/words-adapter.ts';

let open: Runtime[] = [];

async function start<const Options extends object>(adapter: object, pool: Options) {
  const bridges = { mine: { adapter: adapter as typeof wordsAdapter, pool: { size: 1, ...pool } } };
  const runtime = await createTestRuntime({ layer: 1, bridges });
  open.push(runtime);
  return runtime;
}

afterEach(async () => {
  await Promise.all(open.map((runtime) => runtime.stop()));
  open = [];
});

describe('layer 1', () => {
  it('gives a runtime of the very class that createRuntime gives', async () => {
    const runtime = await start(wordsAdapter, {});
    const real = await createRuntime({ logger: false });
    open.push(real);
    expect(runtime.constructor).toBe(real.constructor);
  });

  it('has workers that no signal could hit', async () => {
    const runtime = await start(wordsAdapter, { size: 2 });
    const pids = [...pidsOf(runtime.tree())];
    expect(pids).toHaveLength(2);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('answers the same call alike, whoever asks and in whatever order its keys come', async () => {
    const adapter = defineAdapter({
      framework: 'dice',
      operations: {
        roll: { mock: (_args, { random }) => [random(), random(), random()] },
        toss: { mock: (_args, { random }) => [random(), random(), random()] },
      },
    });
    const [one, other] = [await start(adapter, {}), await start(adapter, {})];
    const args = { sides: 6, of: { a: 1, b: Float64Array.of(2) } };
    const turned = { of: { b: Float64Array.of(2), a: 1 }, sides: 6 };
    const rolled = await one.pool('mine').call('roll', args);
    expect(await other.pool('mine').call('roll', turned, { sessionId: 'ada' })).toEqual(rolled);
    expect(new Set(rolled as number[]).size).toBe(3);
    expect(await one.pool('mine').call('toss', args)).not.toEqual(rolled);
    const others = { ...args, of: { a: 1, b: Float64Array.of(3) } };
    expect(await one.pool('mine').call('roll', others)).not.toEqual(rolled);
    for (const each of rolled as number[]) expect(each).toSatisfy((x: number) => x >= 0 && x < 1);
  });

  it('fails as Python would: with the type, the code and the kind of error that the mock throws', async () => {
    const thrown = Object.assign(new Error('slow down'), {
      name: 'RateLimitError',
      code: 'rate_limited',
    });
    const adapter = defineAdapter({
      framework: 'failing',
      operations: {
        limited: {
          mock: () => {
            throw thrown;
          },
        },
        plain: { mock: () => Promise.reject(new TypeError('no')) },
        cyclic: { mock: () => ({ self: globalThis }) },
      },
    });
    const pool = (await start(adapter, {})).pool('mine');
    await expect(pool.call('limited', {}, { maxRetries: 0 })).rejects.toMatchObject({
      ...{ code: 'rate_limited', pythonType: 'RateLimitError', python: 'passing' },
      ...{ category: 'python_error', message: 'RateLimitError: slow down', retryable: true },
    });
    await expect(pool.call('plain')).rejects.toMatchObject({
      ...{ code: 'python_error', pythonType: 'TypeError', python: 'lasting' },
    });
    await expect(pool.call('cyclic')).rejects.toMatchObject({ code: 'unencodable' });
    expect(await pool.call('get_stats')).toMatchObject({ command_count: 4, error_count: 3 });
  });

  it('holds calls to their deadlines, and goes on with the next', async () => {
    const adapter = defineAdapter({
      framework: 'stuck',
      operations: { hang: { mock: () => new Promise(() => undefined) }, ok: { mock: () => 'ok' } },
    });
    const pool = (await start(adapter, {})).pool('mine');
    const hung = pool.call('hang', {}, { timeoutMs: 20 });
    const next = pool.call('ok');
    await expect(hung).rejects.toMatchObject({
      code: 'deadline_exceeded',
      outcome: 'maybeExecuted',
    });
    expect(await next).toBe('ok');
    expect(pool.statistics().counters).toMatchObject({ completed: 1, failed: 1 });
  });

  it('asks a mock that yields for no more than its reader has room for, and closes it', async () => {
    let yielded = 0;
    let closed = 0;
    const adapter = defineAdapter({
      framework: 'endless',
      operations: {
        count: {
          stream: true,
          mock: async function* () {
            try {
              for (;;) {
                yielded += 1;
                yield await Promise.resolve(yielded);
              }
            } finally {
              closed += 1;
            }
          },
        },
        list: { stream: true, mock: () => ['a', 'b'] },
        single: { mock: () => 'only' },
      },
    });
    const pool = (await start(adapter, {})).pool('mine');
    const read: unknown[] = [];
    for await (const each of pool.stream('count')) {
      read.push(each);
      if (read.length === 3) break;
    }
    expect(await pool.call('single')).toBe('only');
    expect(read).toEqual([1, 2, 3]);
    expect(closed).toBe(1);
    expect(yielded).toBeLessThan(100);
    expect(await itemsOf(pool.stream('list'))).toEqual(['a', 'b']);
    expect(await itemsOf(pool.stream('single'))).toEqual(['only']);
    expect(await pool.call('list')).toEqual(['a', 'b']);
  });

  it('puts calls together where the adapter says so, each with its own answer', async () => {
    const adapter = defineAdapter({
      framework: 'batch',
      operations: {
        half: {
          batch: { maxSize: 8, maxWaitMs: 50 },
          mock: ({ n }) => {
            if (Number(n) % 2 === 1) throw new RangeError(`${String(n)} is odd`);
            return Float64Array.of(Number(n) / 2);
          },
        },
      },
    });
    const runtime = await start(adapter, {});
    const pool = runtime.pool('mine');
    const given = [1, 2, 3, 4].map((n) => pool.call('half', { n }));
    const settled = await Promise.allSettled(given);
    expect(settled.map(({ status }) => status)).toEqual([
      ...['rejected', 'fulfilled', 'rejected', 'fulfilled'],
    ]);
    expect(settled[3]).toMatchObject({ value: Float64Array.of(2) });
    expect(settled[2]).toMatchObject({ reason: { pythonType: 'RangeError' } });
  });

  it('keeps nothing of a caller, and gives nothing of a mock away to be changed', async () => {
    const kept: unknown[] = [];
    const own = { list: [1] };
    const adapter = defineAdapter({
      framework: 'apart',
      operations: {
        give: {
          mock: (args) => {
            kept.push(args);
            return own;
          },
        },
      },
    });
    const pool = (await start(adapter, {})).pool('mine');
    const args = { values: Float64Array.of(1), inner: { text: 'a' } };
    const got = (await pool.call('give', args)) as { list: number[] };
    got.list.push(2);
    args.values[0] = 9;
    args.inner.text = 'b';
    expect(own).toEqual({ list: [1] });
    expect(kept).toEqual([{ values: Float64Array.of(1), inner: { text: 'a' } }]);
  });

  it('stops at once, and refuses what comes then', async () => {
    const runtime = await start(wordsAdapter, {});
    expect(await runtime.stop()).toEqual({ type: 'shutdown' });
    const late = runtime.pool('mine').call('count', { text: 'a' });
    await expect(late).rejects.toMatchObject({ code: 'runtime_stopped' });
  });

  it('has a worker anew after the operation shutdown', async () => {
    const pool = (await start(wordsAdapter, {})).pool('mine');
    expect(await pool.call('shutdown')).toMatchObject({ status: 'shutting_down' });
    expect(await pool.call('count', { text: 'a' })).toEqual({ count: 1 });
  });

  it('mocks built-in bridges that nobody has configured, from their first call on', async () => {
    const runtime = await createTestRuntime({ layer: 1 });
    open.push(runtime);
    const id = await runtime.ml.createProgram({ signature: 'question -> answer' });
    const outputs = await runtime.ml.execute(id, { question: 'Who?' });
    expect(Object.keys(outputs)).toEqual(['answer']);
    expect(await runtime.ml.execute(id, { question: 'Who?' })).toEqual(outputs);
  });

  it('mocks a bridge that is registered later', async () => {
    const runtime = await start(wordsAdapter, {});
    await runtime.registry.register('late', { adapter: wordsAdapter, scriptPath: 'none.py' });
    expect(await runtime.pool('late').call('count', { text: 'a b' })).toEqual({ count: 2 });
  });

  it('does not misbehave', async () => {
    const runtime = await start(wordsAdapter, {});
    expect(() => misbehave(runtime, 'mine', { type: 'exit' })).toThrow('layer 2');
  });
});

describe('a test layer', () => {
  const bare = defineAdapter({ framework: 'bare', operations: { run: {} } });

  it.each([1, 2] as const)(
    '%s is refused, naming the bridge, where nothing has a mock',
    async (layer) => {
      const starting = createTestRuntime({ layer, bridges: { plain: { adapter: bare } } });
      await expect(starting).rejects.toMatchObject({ code: 'unsupported', bridge: 'plain', layer });
      await expect(starting).rejects.toThrow(`bridge plain cannot be tested on layer ${layer}`);
    },
  );

  it('is refused where the adapter says that it does not support it', async () => {
    const adapter = defineAdapter({
      framework: 'real',
      operations: { run: { mock: () => 1 } },
      supportsTestLayer: (layer) => layer === 3,
    });
    for (const layer of [1, 2] as const) {
      const starting = createTestRuntime({ layer, bridges: { real: { adapter } } });
      await expect(starting).rejects.toMatchObject({ code: 'unsupported', bridge: 'real' });
    }
  });

  it('is one of three', async () => {
    await expect(createTestRuntime({ layer: 4 as 3 })).rejects.toThrow('layer');
  });
});

interface Node {
  readonly kind: string;
  readonly pid: number | undefined;
  readonly children: readonly Node[];
}

function* pidsOf(node: Node): Generator<number> {
  if (node.kind === 'worker' && node.pid !== undefined) yield node.pid;
  for (const child of node.children) yield* pidsOf(child);
}

async function itemsOf(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
