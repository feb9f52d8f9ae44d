// How is an application tested with the three layers? One adapter with mocks, on each of them; and a worker that misbehaves.
import { ok, strictEqual } from 'node:assert/strict';
import path from 'node:path';

import { defineAdapter, isCaduceusError, type Runtime } from '../../../src/index.ts';
import { adapterSuite, createTestRuntime, misbehave } from '../../../src/testing/index.ts';

const show = (name: string, value: unknown): void => console.log(JSON.stringify([name, value]));
const scriptPath = path.resolve('docs/examples/testing/lists_bridge.py');

const lists = defineAdapter({
  framework: 'lists',
  operations: {
    add: {
      change: 'update',
      key: () => 'words',
      mock: ({ word }, { state }) => {
        const words = [...((state.get('words') as string[] | undefined) ?? []), word];
        state.set('words', words);
        return words.length;
      },
    },
    each: {
      stream: true,
      mock: (_args, { state }) => state.get('words') ?? [],
    },
  },
});

// The application: what is tested, and knows of no layer.
async function shop(runtime: Runtime, customer: string): Promise<string[]> {
  const pool = runtime.pool('lists');
  for (const word of ['bread', 'milk']) await pool.call('add', { word }, { sessionId: customer });
  const words: string[] = [];
  for await (const word of pool.stream<string>('each', {}, { sessionId: customer }))
    words.push(word);
  return words;
}

for (const layer of [1, 2, 3] as const) {
  await using runtime = await createTestRuntime({
    layer,
    bridges: { lists: { adapter: lists, scriptPath } },
  });
  show(`layer ${layer}`, await shop(runtime, 'ada'));
}

{
  await using runtime = await createTestRuntime({
    layer: 2,
    bridges: { lists: { adapter: lists, scriptPath } },
  });
  await shop(runtime, 'ada');
  misbehave(runtime, 'lists', { type: 'half_frame', op: 'add' });
  const lost = runtime.pool('lists').call('add', { word: 'tea' }, { sessionId: 'ada' });
  const code = await lost.catch((error: unknown) => isCaduceusError(error) && error.code);
  show('lost', code);
  // 3: the session has lived on, and `tea` never was in it.
  const next = await runtime.pool('lists').call('add', { word: 'jam' }, { sessionId: 'ada' });
  show('next', next);
}

const suites = adapterSuite(lists, {
  bridge: { scriptPath },
  cases: [
    {
      name: 'counts what is added',
      run: async (runtime, { bridge }) => {
        const add = (word: string) =>
          runtime.pool(bridge).call('add', { word }, { sessionId: 'bob' });
        strictEqual(await add('salt'), 1);
        strictEqual(await add('oil'), 2);
      },
    },
  ],
});
for (const { layer, start, cases } of suites) {
  const runtime = await start();
  for (const { name, run } of cases) await run(runtime).then(() => show(`layer ${layer}`, name));
  await runtime.stop();
}
ok(suites.length === 3);
