// Do adapters do the same on all three layers that they declare? One suite for each adapter, run on mocks, on scripted processes and on Python.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Runtime } from '../../src/index.ts';
import { adapterSuite, type AdapterCase } from '../../src/testing/index.ts';
import { PYTHON } from '../support/real-runtime.ts';
import { WORDS_SCRIPT, wordsAdapter } from '../support/words-adapter.ts';

const words: readonly AdapterCase[] = [
  {
    name: 'answers by its arguments',
    run: async (runtime, { bridge }) => {
      const counted = await runtime.pool(bridge).call('count', { text: 'one two three' });
      expect(counted).toEqual({ count: 3 });
    },
  },
  {
    name: 'streams, and gives the same as a list to who does not read it one by one',
    run: async (runtime, { bridge }) => {
      const read: unknown[] = [];
      for await (const word of runtime.pool(bridge).stream('each', { text: 'a b c' }))
        read.push(word);
      expect(read).toEqual(['a', 'b', 'c']);
      expect(await runtime.pool(bridge).call('each', { text: 'a b' })).toEqual(['a', 'b']);
    },
  },
  {
    name: 'fails in the middle of a stream with its own code',
    run: async (runtime, { bridge }) => {
      const read: unknown[] = [];
      const reading = (async () => {
        for await (const word of runtime.pool(bridge).stream('each', { text: 'a b stop c' }))
          read.push(word);
      })();
      await expect(reading).rejects.toMatchObject({ code: 'stopped', category: 'python_error' });
      expect(read).toEqual(['a', 'b']);
    },
  },
  {
    name: 'keeps what a session makes from the others',
    run: async (runtime, { bridge }) => {
      const pool = runtime.pool(bridge);
      await pool.call('make_list', { id: 'l' }, { sessionId: 'ada' });
      await pool.call('add_words', { id: 'l', words: ['x', 'y'] }, { sessionId: 'ada' });
      expect(await pool.call('read_list', { id: 'l' }, { sessionId: 'ada' })).toEqual(['x', 'y']);
      const other = pool.call('read_list', { id: 'l' }, { sessionId: 'bob' });
      await expect(other).rejects.toMatchObject({ code: 'list_not_found' });
      await pool.endSession('ada');
      const ended = pool.call('read_list', { id: 'l' }, { sessionId: 'ada' });
      await expect(ended).rejects.toMatchObject({ code: 'list_not_found' });
    },
  },
  {
    name: 'has on every worker what was made without a session',
    run: async (runtime, { bridge }) => {
      const pool = runtime.pool(bridge);
      await pool.call('make_list', { id: 'all' });
      await pool.call('add_words', { id: 'all', words: ['z'] });
      const held = await Promise.all([pool.checkout(), pool.checkout()]);
      const lists = await Promise.all(held.map((one) => one.call('read_list', { id: 'all' })));
      await Promise.all(held.map((one) => one.checkIn()));
      expect(lists).toEqual([['z'], ['z']]);
    },
  },
  {
    name: 'rebuilds a session on the workers that come after a reload',
    run: async (runtime, { bridge }) => {
      const pool = runtime.pool(bridge);
      await pool.call('make_list', { id: 'r' }, { sessionId: 'eve' });
      await pool.call('add_words', { id: 'r', words: ['kept'] }, { sessionId: 'eve' });
      await pool.reload();
      expect(await pool.call('read_list', { id: 'r' }, { sessionId: 'eve' })).toEqual(['kept']);
    },
  },
  {
    name: 'takes and gives arrays as arrays',
    run: async (runtime, { bridge }) => {
      const args = { values: Float64Array.of(1, 2.5) };
      expect(await runtime.pool(bridge).call('double', args)).toEqual({
        values: Float64Array.of(2, 5),
      });
    },
  },
  {
    name: 'says which operation declares no mock',
    layers: [1, 2],
    run: async (runtime, { bridge, layer }) => {
      const call = runtime.pool(bridge).call('unmocked');
      await expect(call).rejects.toMatchObject({ code: 'unsupported' });
      await expect(call).rejects.toThrow(
        `operation unmocked of bridge words declares no mock, which layer ${layer} needs`,
      );
    },
  },
  {
    name: 'runs what has no mock',
    layers: [3],
    run: async (runtime, { bridge }) => {
      expect(await runtime.pool(bridge).call('unmocked')).toBe('Python');
    },
  },
];

/** Every adapter that declares more than one layer has its cases here. */
const suites = {
  words: adapterSuite(wordsAdapter, {
    python: PYTHON,
    bridge: { scriptPath: WORDS_SCRIPT, pool: { size: 2 } },
    cases: words,
  }),
};

describe.each(Object.entries(suites))('the adapter of %s', (_name, layers) => {
  describe.each(layers)('on layer $layer', ({ start, cases }) => {
    let runtime: Runtime;
    beforeAll(async () => {
      runtime = await start();
    });
    afterAll(() => runtime.stop());

    it.each(cases)('$name', ({ run }) => run(runtime));
  });
});
