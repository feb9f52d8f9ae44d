// Does DSPy's adapter behave the same on mocks, behind a scripted process and on real DSPy? One suite on all three layers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { dspy, type DspyDump, type DspyStreamItem, type Runtime } from '../../src/index.ts';
import {
  adapterSuite,
  startLocalModel,
  type AdapterCase,
  type LocalModel,
} from '../../src/testing/index.ts';
import { boundDspy, configOf, type Dspy } from '../support/dspy-runtime.ts';
import { PYTHON, rejection } from '../support/real-runtime.ts';

let model: LocalModel;
beforeAll(async () => {
  model = await startLocalModel();
});
afterAll(() => model.close());

const ada = { sessionId: 'ada' };
const inputs = { question: 'What is 2 + 3?' };
const shape = {
  signature: { inputs: [{ name: 'question' }], outputs: [{ name: 'answer', type: 'int' }] },
};

/** A case over the bound adapter, in a session that has a model. */
function on(name: string, run: (bridge: Dspy) => Promise<void>): AdapterCase {
  return {
    name,
    run: async (runtime) => {
      await runtime.ml.configure('dspy', configOf(model), ada);
      await run(boundDspy(runtime));
    },
  };
}

const cases: readonly AdapterCase[] = [
  on('gives an id of its own to a program', async (bridge) => {
    expect(await bridge.createProgram(shape, ada)).toMatch(/^dspy_/u);
    expect(await bridge.createProgram({ id: 'mine', ...shape }, ada)).toBe('mine');
  }),
  on(
    'gives outputs of the types of the signature, the same for the same inputs',
    async (bridge) => {
      const id = await bridge.createProgram(
        {
          signature:
            "question -> a: str, b: int, c: float, d: bool, e: list[str], f: Literal['x', 'y']",
        },
        ada,
      );
      const outputs = await bridge.executeProgram({ id, inputs }, ada);
      expect(Object.entries(outputs).map(([name, value]) => [name, typeof value])).toEqual([
        ...[
          ['a', 'string'],
          ['b', 'number'],
          ['c', 'number'],
          ['d', 'boolean'],
        ],
        ...[
          ['e', 'object'],
          ['f', 'string'],
        ],
      ]);
      expect(['x', 'y']).toContain(outputs['f']);
      expect(await bridge.executeProgram({ id, inputs }, ada)).toEqual(outputs);
    },
  ),
  on('adds its reasoning to a chain of thought', async (bridge) => {
    const program = { signature: 'question -> answer', type: 'chain_of_thought' } as const;
    const id = await bridge.createProgram(program, ada);
    const { outputs } = await bridge.executeWithUsage(id, inputs, ada);
    expect(Object.keys(outputs)).toEqual(['reasoning', 'answer']);
  }),
  on('streams text piece by piece and ends with the outputs', async (bridge) => {
    const id = await bridge.createProgram({ signature: 'question -> answer' }, ada);
    const items: DspyStreamItem[] = [];
    for await (const item of bridge.streamProgram({ id, inputs }, ada)) items.push(item);
    const texts = items.map((item) => ('text' in item ? item.text : ''));
    expect(items.at(-1)).toMatchObject({ program_id: id, outputs: { answer: texts.join('') } });
  }),
  on('lists, describes and deletes', async (bridge) => {
    await bridge.cleanup(ada);
    await bridge.createProgram({ id: 'one', ...shape }, ada);
    const listed = { id: 'one', signature: 'question: str -> answer: int', outputs: ['answer'] };
    expect(await bridge.listPrograms({}, ada)).toMatchObject({ programs: [listed] });
    expect(await bridge.getProgramInfo({ id: 'one' }, ada)).toMatchObject({
      ...listed,
      max_iters: null,
    });
    await bridge.deleteProgram({ id: 'one' }, ada);
    expect(await bridge.listPrograms({}, ada)).toEqual({ programs: [], total_count: 0 });
  }),
  on('writes programs down and makes them again', async (bridge) => {
    const id = await bridge.createProgram(shape, ada);
    const program = JSON.parse(JSON.stringify(await bridge.dumpProgram({ id }, ada))) as DspyDump;
    expect(await bridge.loadProgram({ id: 'copy', program }, ada)).toBe('copy');
    const copied = await bridge.executeProgram({ id: 'copy', inputs }, ada);
    expect(copied).toEqual(await bridge.executeProgram({ id, inputs }, ada));
  }),
  on('optimises and evaluates', async (bridge) => {
    const id = await bridge.createProgram(shape, ada);
    const examples = [{ ...inputs, answer: 5 }];
    const options = { optimizer: 'labeled_few_shot', trainset: examples } as const;
    expect(await bridge.optimize(id, options, ada)).toMatchObject({ demos_count: 1 });
    const found = await bridge.evaluate(id, { devset: examples }, ada);
    expect(found).toMatchObject({ total_count: 1, errors_count: 0 });
  }),
  on('refuses with the same codes', async (bridge) => {
    const bad = bridge.createProgram({ signature: 'a -> ' }, ada);
    expect(await rejection(bad)).toMatchObject({ code: 'invalid_signature' });
    const missing = bridge.executeProgram({ id: 'nobody', inputs }, ada);
    expect(await rejection(missing)).toMatchObject({ code: 'program_not_found' });
    const id = await bridge.createProgram(shape, ada);
    const wrong = bridge.executeProgram({ id, inputs: {} }, ada);
    expect(await rejection(wrong)).toMatchObject({ code: 'invalid_arguments' });
  }),
  on('keeps sessions apart', async (bridge) => {
    const id = await bridge.createProgram(shape, ada);
    const other = bridge.getProgramInfo({ id }, { sessionId: 'bob' });
    expect(await rejection(other)).toMatchObject({ code: 'program_not_found' });
  }),
];

const suite = adapterSuite(dspy(), { python: PYTHON, bridge: { pool: { size: 1 } }, cases });

it('is for all three layers', () => {
  expect(suite.map(({ layer }) => layer)).toEqual([1, 2, 3]);
});

describe.each(suite)('on layer $layer', ({ start, cases: ofLayer }) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await start();
  });
  afterAll(() => runtime.stop());

  it.each(ofLayer)('$name', ({ run }) => run(runtime));
});
