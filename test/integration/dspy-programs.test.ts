// Does every operation of DSPy do what it says, with real DSPy in real processes and the local model?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { currentCall, type DspyDump, type Runtime } from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import { boundDspy, configOf, dspyRuntime, type Dspy } from '../support/dspy-runtime.ts';
import { rejection } from '../support/real-runtime.ts';

let model: LocalModel;
let runtime: Runtime;
let bridge: Dspy;

beforeAll(async () => {
  model = await startLocalModel();
  runtime = await dspyRuntime();
  bridge = boundDspy(runtime);
  await runtime.ml.configure('dspy', configOf(model));
});
afterAll(async () => {
  await runtime.stop();
  await model.close();
});

describe('signatures', () => {
  it('may have a name, a description, and typed fields with descriptions', async () => {
    const id = await bridge.createProgram({
      signature: {
        name: 'Arithmetic',
        description: 'Work it out to the last digit.',
        inputs: [{ name: 'question', type: 'string', description: 'A sum.' }],
        outputs: [{ name: 'answer', type: 'integer', description: 'Digits only.' }],
      },
    });
    const outputs = await bridge.executeProgram({ id, inputs: { question: 'What is 20 + 22?' } });
    expect(outputs).toEqual({ answer: 42 });
    const prompt = (await model.nextRequest({ matching: '20 + 22' })).promptText;
    for (const text of ['Work it out to the last digit.', 'A sum.', 'Digits only.'])
      expect(prompt).toContain(text);
    expect(await bridge.getProgramInfo({ id })).toMatchObject({
      program_id: id,
      signature: 'question: str -> answer: int',
      signature_def: { name: 'Arithmetic', instructions: 'Work it out to the last digit.' },
      demos_count: 0,
    });
  });

  it('of a chain of thought have their reasoning besides', async () => {
    const id = await bridge.createProgram({
      signature: 'question -> answer',
      type: 'chain_of_thought',
    });
    const outputs = await bridge.executeProgram({ id, inputs: { question: 'What is 6 * 7?' } });
    expect(Object.keys(outputs)).toEqual(['reasoning', 'answer']);
    expect(outputs['answer']).toContain('42');
  });
});

describe('what a run costs', () => {
  it('is told when it is asked for, and else the outputs alone', async () => {
    const id = await bridge.createProgram({ signature: 'question -> answer' });
    const inputs = { question: 'What is 8 + 9?' };
    expect(await runtime.ml.execute(id, inputs)).toEqual({ answer: '17' });
    const { outputs, usage } = await bridge.executeWithUsage(id, inputs);
    expect(outputs).toEqual({ answer: '17' });
    expect(usage['openai/local']?.['total_tokens']).toBeGreaterThan(0);
  });
});

describe('agents', () => {
  const add = {
    name: 'add',
    description: 'Add two numbers.',
    args: z.object({ a: z.number(), b: z.number() }),
  };

  it('use tools that are functions here, one for each call', async () => {
    const id = await bridge.createProgram({
      ...{ signature: 'question -> answer', type: 'react', tools: [add], maxIters: 4 },
    });
    const seen: unknown[] = [];
    const steps: unknown[] = [];
    const tool = ({ a, b }: { a: number; b: number }): number => {
      seen.push([a, b, currentCall()?.op]);
      return a + b;
    };
    const outputs = await bridge.executeProgram(
      { id, inputs: { question: 'What is 17 + 23?' } },
      { callbacks: { add: tool }, onProgress: (step) => steps.push(step) },
    );
    expect(seen).toEqual([[17, 23, 'execute_program']]);
    expect(steps).toEqual([{ tool: 'add', args: { a: 17, b: 23 } }]);
    expect(outputs['trajectory']).toMatchObject({ tool_name_0: 'add', observation_0: 40 });
    expect(outputs['answer']).toContain('40');
  });

  it('may run another program from inside of a tool, in the same session', async () => {
    const ada = { sessionId: 'ada' };
    const inner = await bridge.createProgram({ signature: 'question -> answer: int' }, ada);
    const id = await bridge.createProgram(
      { signature: 'question -> answer', type: 'react', tools: [add] },
      ada,
    );
    const callbacks = {
      add: async ({ a, b }: { a: number; b: number }) => {
        const question = `What is ${a} + ${b}?`;
        return (await bridge.executeProgram({ id: inner, inputs: { question } }, ada))['answer'];
      },
    };
    const inputs = { question: 'What is 30 + 31?' };
    const outputs = await bridge.executeProgram({ id, inputs }, { ...ada, callbacks });
    expect(outputs['trajectory']).toMatchObject({ observation_0: 61 });
  });

  it('read what a tool throws, and nothing of this machine', async () => {
    const id = await bridge.createProgram({
      ...{ signature: 'question -> answer', type: 'react', tools: [add] },
    });
    const callbacks = {
      add: () => {
        throw new Error('the abacus is out of beads');
      },
    };
    const inputs = { question: 'What is 51 + 23?' };
    const outputs = await bridge.executeProgram({ id, inputs }, { callbacks });
    const { observation_0: told } = outputs['trajectory'] as { observation_0: string };
    expect(told).toContain('the abacus is out of beads');
    expect(told).not.toContain('Traceback');
  });

  it('whose tool nobody has registered fail, since no model can mend that', async () => {
    const id = await bridge.createProgram({
      ...{ signature: 'question -> answer', type: 'react', tools: [add] },
    });
    const inputs = { question: 'What is 1 + 23?' };
    const error = await rejection(bridge.executeProgram({ id, inputs }, {}));
    expect(error).toMatchObject({ code: 'callback_unknown' });
    expect(error.message).toContain('add');
  });

  it.each([
    [{ tools: [{ name: 'finish' }] }, 'finish'],
    [{ tools: [{ name: 'a b' }] }, 'tools[0].name'],
    [{ tools: [{ name: 'a' }, { name: 'a' }] }, 'twice'],
    [{ type: 'predict', tools: [{ name: 'a' }] }, 'react'],
  ] as const)('are refused when their tools cannot be: %#', async (program, finding) => {
    const made = bridge.createProgram({ signature: 'a -> b', type: 'react', ...program } as never);
    const error = await rejection(made);
    expect(error).toMatchObject({ code: 'invalid_arguments' });
    expect(error.message).toContain(finding);
  });
});

describe('programs written down', () => {
  it('are made again in another session, by JSON alone', async () => {
    const id = await bridge.createProgram(
      { id: 'sums', signature: 'question -> answer: int', instructions: 'Be exact.' },
      { sessionId: 'from' },
    );
    const dump = await bridge.dumpProgram({ id }, { sessionId: 'from' });
    const copied = JSON.parse(JSON.stringify(dump)) as DspyDump;
    expect(await bridge.loadProgram({ program: copied }, { sessionId: 'to' })).toBe('sums');
    const inputs = { question: 'What is 9 * 9?' };
    expect(await bridge.executeProgram({ id, inputs }, { sessionId: 'to' })).toEqual({
      answer: 81,
    });
    const again = await bridge.dumpProgram({ id }, { sessionId: 'to' });
    expect(again).toEqual(dump);
  });

  it.each([
    ['of another form', { format: 99 }],
    ['of other predictors', { state: { nobody: { demos: [] } } }],
    ['with what is no state', { state: { self: { demos: 5 } } }],
    ['with another signature', { signature: 'a -> ' }],
  ])('are refused %s', async (_what, change) => {
    const id = await bridge.createProgram({ signature: 'a -> b' });
    const dump = await bridge.dumpProgram({ id });
    const error = await rejection(bridge.loadProgram({ program: { ...dump, ...change } }));
    expect(error['code']).toMatch(/^invalid_(?:arguments|signature)$/u);
  });
});

describe('programs of a scope', () => {
  it('are listed, described and cleaned up together', async () => {
    const eve = { sessionId: 'eve' };
    for (const id of ['one', 'two']) await bridge.createProgram({ id, signature: 'a -> b' }, eve);
    const { programs, total_count: count } = await bridge.listPrograms({}, eve);
    expect([programs.map(({ id }) => id), count]).toEqual([['one', 'two'], 2]);
    expect(await bridge.cleanup(eve)).toEqual({ status: 'cleaned', programs_removed: 2 });
    expect(await bridge.listPrograms({}, eve)).toEqual({ programs: [], total_count: 0 });
    expect(await rejection(bridge.getProgramInfo({ id: 'one' }, eve))).toMatchObject({
      code: 'program_not_found',
    });
  });

  it('are counted, with the memory that their worker uses', async () => {
    const statistics = (await runtime.pool('dspy').call('get_stats')) as Record<string, unknown>;
    expect(statistics).toMatchObject({ dspy_available: true });
    expect(statistics['programs_count']).toBeGreaterThan(0);
    expect((statistics['memory_usage'] as { rss: number }).rss).toBeGreaterThan(1_000_000);
  });
});

describe('answers', () => {
  const ask = async (sessionId: string, question: string): Promise<number> => {
    const id = await bridge.createProgram({ signature: 'question -> answer' }, { sessionId });
    const before = model.requestsCount;
    for (const _ of [1, 2])
      await bridge.executeProgram({ id, inputs: { question } }, { sessionId });
    return model.requestsCount - before;
  };

  it('are not kept unless that is asked for', async () => {
    await bridge.configureLm(configOf(model), { sessionId: 'plain' });
    expect(await ask('plain', 'What is 2 + 61?')).toBe(2);
  });

  it('are kept in memory, for the session that asked for it alone', async () => {
    for (const sessionId of ['memory', 'other'])
      await bridge.configureLm({ ...configOf(model), cache: 'memory' }, { sessionId });
    expect(await ask('memory', 'What is 2 + 62?')).toBe(1);
    expect(await ask('other', 'What is 2 + 62?')).toBe(1);
    expect(await ask('plain', 'What is 2 + 62?')).toBe(2);
  });

  it('are kept in a folder, for all that name it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'caduceus-answers-'));
    try {
      for (const sessionId of ['disk-1', 'disk-2'])
        await bridge.configureLm({ ...configOf(model), cache: { dir } }, { sessionId });
      expect(await ask('disk-1', 'What is 2 + 63?')).toBe(1);
      expect(await ask('disk-2', 'What is 2 + 63?')).toBe(0);
    } finally {
      for (const sessionId of ['disk-1', 'disk-2'])
        await runtime.pool('dspy').endSession(sessionId);
      await rm(dir, { recursive: true, force: true });
    }
  });
});

describe('models', () => {
  it('of two sessions serve them at once, and neither sees the other’s', async () => {
    const servers = [await startLocalModel(), await startLocalModel()] as const;
    const made = await Promise.all(
      servers.map(async (server, index) => {
        const sessionId = `lm-${index}`;
        await bridge.configureLm(configOf(server, `m${index}`), { sessionId });
        const id = await bridge.createProgram({ signature: 'question -> answer' }, { sessionId });
        server.inject({ kind: 'slow', delayMs: 200 });
        return { id, sessionId };
      }),
    );
    const asked = made.map(({ id, sessionId }, index) =>
      bridge.executeWithUsage(id, { question: `What is ${index} + 5?` }, { sessionId }),
    );
    // Both requests are under way before either is answered.
    await Promise.all(servers.map((server) => server.nextRequest()));
    const answered = await Promise.all(asked);
    expect(answered.map(({ outputs }) => outputs['answer'])).toEqual(['5', '6']);
    expect(answered.map(({ usage }) => Object.keys(usage))).toEqual([['openai/m0'], ['openai/m1']]);
    expect(servers.map(({ requestsCount }) => requestsCount)).toEqual([1, 1]);
    await Promise.all(servers.map((server) => server.close()));
  });

  it.each([
    [{ modle: 'x' }, 'config'],
    [{ model: '' }, 'config.model'],
    [{ model: 'openai/x', cache: { dir: 'here' } }, 'config.cache'],
    [{ model: 'openai/x', timeoutMs: 0 }, 'config.timeoutMs'],
  ])('are refused before anything is sent, naming the field: %#', async (config, field) => {
    const error = await rejection(runtime.ml.configure('dspy', config));
    expect(error).toMatchObject({ code: 'invalid_config' });
    expect(String(error['field'])).toContain(field);
  });
});
