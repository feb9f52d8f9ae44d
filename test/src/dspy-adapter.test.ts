// What does DSPy's adapter send for what a caller writes, and what does it refuse?
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { dspy, secret } from '../../src/index.ts';
import { checkBy } from '../../src/adapters/standard-schema.ts';

const adapter = dspy();
const tools = { newId: () => 'dspy_new' };
const sent = (op: string, args: Readonly<Record<string, unknown>>): unknown =>
  adapter.transformRequest?.(op, args, tools);

describe('a language model', () => {
  it.each([
    [{ model: 'gemini-x', provider: 'google' }, { model: 'gemini/gemini-x' }],
    [{ model: 'gemini/x', provider: 'google' }, { model: 'gemini/x' }],
    [{ model: 'x', provider: 'openai' }, { model: 'openai/x' }],
    [
      { model: 'm', cache: true },
      { model: 'm', cache: true },
    ],
    [
      { model: 'm', cache: { dir: '/answers' } },
      { model: 'm', cache: 'disk', cache_dir: '/answers' },
    ],
    [
      { model: 'm', timeoutMs: 250, numRetries: 2, engine: 'litellm' },
      { model: 'm', timeout_s: 0.25, num_retries: 2, engine: 'litellm' },
    ],
  ])('is sent as DSPy calls it: %#', (config, args) => {
    expect(sent('configure_lm', config)).toEqual(args);
  });

  it('may have the name of a secret for its key', () => {
    const config = { model: 'm', apiKey: secret('KEY') };
    expect(() => adapter.validateConfig?.(config)).not.toThrow();
    expect(adapter.operations.configure_lm.secrets).toEqual(['api_key']);
  });

  it.each([
    [{ modle: 'm' }, 'config', /modle is no option; did you mean model\?/u],
    [{ model: 'm', apiBase: 'nowhere' }, 'config.apiBase', /./u],
    [{ model: 'm', cache: 'ram' }, 'config.cache', /true, false, off, memory or/u],
  ])('is refused with the name of the field: %#', (config, field, problem) => {
    expect(() => adapter.validateConfig?.(config)).toThrow(problem);
    expect(() => adapter.validateConfig?.(config)).toThrow(expect.objectContaining({ field }));
  });
});

describe('a tool', () => {
  const sentTool = (args: unknown): unknown => {
    const tool = { name: 'add', description: 'Adds.', ...(args === undefined ? {} : { args }) };
    const program = { signature: 'a -> b', type: 'react', tools: [tool], maxIters: 3 };
    const { tools: found, max_iters: steps } = sent('create_program', program) as {
      tools: readonly { args?: unknown }[];
      max_iters: number;
    };
    expect(steps).toBe(3);
    return found[0]?.args;
  };

  it('described by zod is sent as JSON Schema', () => {
    const schema = z.object({ a: z.number(), b: z.string().optional() });
    expect(sentTool(schema)).toMatchObject({
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'string' } },
      required: ['a'],
    });
  });

  it.each([
    [undefined],
    [{ a: { type: 'number' } }],
    [{ type: 'object', properties: { a: { type: 'number' } } }],
  ])('described otherwise is sent as it is: %#', (args) => {
    expect(sentTool(args)).toEqual(args);
  });
});

describe('a run', () => {
  it.each([
    [
      'optimize_program',
      { id: 'p', trainset: [{}], maxLabeledDemos: 1, maxErrors: 0, metricThreshold: 0.5 },
      {
        ...{ program_id: 'p', trainset: [{}], max_labeled_demos: 1, max_errors: 0 },
        metric_threshold: 0.5,
      },
    ],
    [
      'evaluate_program',
      { program_id: 'p', devset: [{}], metric: { callback: 'judge' } },
      { program_id: 'p', devset: [{}], metric: { callback: 'judge' } },
    ],
    ['stream_program', { id: 'p' }, { program_id: 'p', inputs: {} }],
    ['load_program', { program: { id: 'p' } }, { id: 'p', program: { id: 'p' } }],
    ['load_program', { id: 'q', program: { id: 'p' } }, { id: 'q', program: { id: 'p' } }],
    ['dump_program', { id: 'p' }, { program_id: 'p' }],
  ])('is sent in the words of Python: %s %#', (op, args, expected) => {
    expect(sent(op, args)).toEqual(expected);
  });

  it.each([
    ['execute_program', {}, /needs id/u],
    ['execute_program', { id: 'p', input: {} }, /input/u],
    ['create_program', { signature: { inputs: [], outputs: [] } }, /./u],
    ['create_program', { signature: 'a -> b', type: 'magic' }, /predict/u],
    ['optimize_program', { id: 'p', trainset: [] }, /./u],
    ['optimize_program', { id: 'p', trainset: [{}], metric: 'best' }, /exact_match/u],
    ['load_program', { program: { format: 1, signature: 'a -> b', state: {} } }, /needs id/u],
  ] as const)('is refused before it is sent: %s %#', (op, args, problem) => {
    const checked = checkBy(adapter.operations[op].args, args);
    expect(checked).toMatchObject({
      type: 'bad',
      problem: expect.stringMatching(problem) as string,
    });
  });

  it('is journalled when it changes something, under one name for one program', () => {
    const { create_program: create, load_program: load, delete_program: drop } = adapter.operations;
    const keys = [create.key({ id: 'p' }), load.key({ id: 'p' }), drop.key({ program_id: 'p' })];
    expect(new Set(keys).size).toBe(1);
    const changes = Object.entries(adapter.operations).flatMap(([op, each]) =>
      'change' in each ? [`${op}: ${each.change}`] : [],
    );
    expect(changes).toEqual([
      'configure_lm: configure',
      'create_program: create',
      'delete_program: delete',
      'load_program: create',
    ]);
  });

  it('gives its outputs, and their cost only where that came', () => {
    const outputs = { b: 1 };
    expect(adapter.transformResponse?.('execute_program', { outputs })).toEqual(outputs);
    const whole = { outputs, usage: { m: {} } };
    expect(adapter.transformResponse?.('execute_program', whole)).toEqual(whole);
  });
});
