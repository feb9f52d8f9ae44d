// Do LangChain's agents work through the runtime: tools that are functions here, steps, limits? A real framework in real processes, with the local model.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createRuntime, currentCall, langchain, sqliteStore } from '../../src/index.ts';
import {
  calculator,
  collected,
  startLangchain,
  type LangchainWorld,
} from '../support/langchain-runtime.ts';
import { PYTHON, rejection } from '../support/real-runtime.ts';

let world: LangchainWorld;
let model: LangchainWorld['model'];
let chains: LangchainWorld['chains'];

const folder = mkdtempSync(path.join(tmpdir(), 'caduceus-langchain-'));
const file = path.join(folder, 'sessions.db');

beforeAll(async () => {
  world = await startLangchain({ size: 1 }, { store: sqliteStore(file) });
  ({ model, chains } = world);
}, 60_000);
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('agents', () => {
  it('call tools that are functions here, in the session of the run', async () => {
    const seen: unknown[] = [];
    const session = { sessionId: 'tools' };
    const callbacks = {
      calculate: ({ expression }: { expression: string }) => {
        seen.push([expression, currentCall()?.sessionId]);
        return '6 of them';
      },
    };
    const id = await chains.createAgent(
      { systemPrompt: 'Be brief.', tools: [calculator] },
      session,
    );
    const run = await chains.runAgent(id, 'What is 2 * 3?', { ...session, callbacks });
    expect(seen).toEqual([['2 * 3', 'tools']]);
    expect(run).toMatchObject({
      output: 'calculate says: 6 of them',
      rememberedBy: 'journal',
      usage: { 'gpt-4.1-mini': { total_tokens: expect.any(Number) as number } },
      messages: [
        { role: 'assistant', tool_calls: [{ name: 'calculate', args: { expression: '2 * 3' } }] },
        { role: 'tool', name: 'calculate', content: '6 of them', status: 'success' },
        { role: 'assistant', content: 'calculate says: 6 of them' },
      ],
    });
  });

  it('tell their steps and tokens as they come', async () => {
    const session = { sessionId: 'steps' };
    const id = await chains.createAgent({ tools: [{ ...calculator, callback: 'calc' }] }, session);
    const callbacks = { calc: () => 'eight' };
    const steps = await collected(
      chains.streamAgent(id, 'What is 2 * 4?', { ...session, callbacks }),
    );
    expect(steps.map(({ type }) => type)).toEqual([
      ...['tool_call', 'tool_result', 'token', 'token', 'token', 'message'],
    ]);
    expect(steps.at(-1)).toMatchObject({
      content: 'calculate says: eight',
      rememberedBy: 'journal',
    });
    const { messages } = await chains.getMemory(session);
    expect(messages).toHaveLength(4);
  });

  it('read what a tool throws, and fail when there is no such function', async () => {
    const id = await chains.createAgent({ tools: [calculator] });
    const callbacks = {
      calculate: () => {
        throw new Error('the calculator is wet');
      },
    };
    const run = await chains.runAgent(id, 'What is 2 * 5?', { callbacks });
    expect(run.messages[1]).toMatchObject({ role: 'tool', status: 'error' });
    expect(run.output).toContain('the calculator is wet');
    const error = await rejection(chains.runAgent(id, 'What is 2 * 6?'));
    expect(error).toMatchObject({ code: 'callback_unknown' });
  });

  it('may run other operations of their session from a tool', async () => {
    const session = { sessionId: 'nested' };
    const chain = await chains.createChain('What is {expression}?', session);
    const id = await chains.createAgent({ tools: [calculator] }, session);
    const callbacks = {
      calculate: async (inputs: object) => (await chains.runChain(chain, inputs, session)).output,
    };
    const { output } = await chains.runAgent(id, 'What is 7 * 8?', { ...session, callbacks });
    expect(output).toContain('56');
  });

  it('stop after as many steps as they may make', async () => {
    const looping = { ...calculator, name: 'submit' };
    const id = await chains.createAgent({ tools: [looping], maxSteps: 3 });
    const asked = model.requestsCount;
    const callbacks = { submit: () => 'again' };
    const error = await rejection(chains.runAgent(id, 'submit 1 + 1', { callbacks }));
    expect(error).toMatchObject({ code: 'step_limit' });
    expect(model.requestsCount - asked).toBe(3);
  });

  it('are listed and deleted, and refused when they are unknown', async () => {
    const session = { sessionId: 'lists' };
    const id = await chains.createAgent({ id: 'helper', tools: [calculator] }, session);
    const { agents } = await chains.listAgents({}, session);
    expect(agents).toMatchObject([{ id, tools: ['calculate'], run_count: 0 }]);
    await chains.deleteAgent(id, session);
    const error = await rejection(chains.runAgent(id, 'hello', session));
    expect(error).toMatchObject({ code: 'agent_not_found' });
    expect(error.message).toContain('Agent not found: helper');
  });

  it('remember what was said beyond the life of this process, where there is a store', async () => {
    const session = { sessionId: 'durable' };
    const id = await chains.createAgent({}, session);
    for (const word of ['one', 'two']) await chains.runAgent(id, `Say "${word}"`, session);
    await world.runtime.stop();
    // Another process knows nothing but the store.
    await using runtime = await createRuntime({
      python: PYTHON,
      logger: false,
      store: sqliteStore(file),
      bridges: { langchain: { adapter: langchain(), pool: { size: 1 } } },
    });
    const later = runtime.registry.getAdapter('langchain');
    const asked = model.requestsCount;
    await later.runAgent(id, 'Say "three"', session);
    expect(model.requestsCount - asked).toBe(1);
    const { messages } = await later.getMemory(session);
    expect(
      messages.filter(({ role }) => role === 'assistant').map(({ content }) => content),
    ).toEqual(['one', 'two', 'three']);
  }, 60_000);
});
