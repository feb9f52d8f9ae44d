// A provider does not do its part: what is the caller told, and does the worker go on?
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Runtime } from '../../src/index.ts';
import { startLocalModel, type Fault, type LocalModel } from '../../src/testing/index.ts';
import { boundDspy, configOf, dspyRuntime, type Dspy } from '../support/dspy-runtime.ts';
import { rejection } from '../support/real-runtime.ts';

let model: LocalModel;
let runtime: Runtime;
let bridge: Dspy;
let id: string;
const crashes: unknown[] = [];
const inputs = { question: 'What is 1 + 23?' };

beforeAll(async () => {
  model = await startLocalModel();
  runtime = await dspyRuntime({ size: 1 });
  bridge = boundDspy(runtime);
  runtime.on('child.crashed', (event) => crashes.push(event));
  await runtime.ml.configure('dspy', configOf(model));
  id = await bridge.createProgram({ signature: 'question -> answer' });
});
afterEach(async () => {
  model.clearFaults();
  // The same worker is as good as before.
  expect(await bridge.executeProgram({ id, inputs })).toEqual({ answer: '24' });
  expect(crashes).toEqual([]);
});
afterAll(async () => {
  await runtime.stop();
  await model.close();
});

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) expect(item).toBeDefined();
}

const ROWS: readonly (readonly [string, Fault, string, boolean, string])[] = [
  [
    'too many requests',
    { kind: 'status', status: 429, retryAfterS: 3 },
    'rate_limited',
    true,
    'LMRateLimitError',
  ],
  ['an error of its own', { kind: 'status', status: 500 }, 'unavailable', true, 'LMServerError'],
  ['that it is down', { kind: 'status', status: 503 }, 'unavailable', true, 'LMServerError'],
  ['a wrong key', { kind: 'status', status: 401 }, 'unauthorized', false, 'LMAuthError'],
  [
    'a request that it does not take',
    { kind: 'status', status: 400 },
    'invalid_request',
    false,
    'LMInvalidRequestError',
  ],
  ['half a reply', { kind: 'break_stream', afterChunks: 3 }, 'connection_error', true, 'LM'],
  ['what is no JSON', { kind: 'bad_json' }, 'invalid_answer', false, 'LM'],
  [
    'what follows no format',
    { kind: 'nonsense', times: 'always' },
    'invalid_answer',
    false,
    'AdapterParseError',
  ],
];

describe.each(ROWS)('of %s', (_what, fault, code, retryable, cause) => {
  it('an execution tells by its code, and DSPy’s error is the cause', async () => {
    model.inject(fault);
    const error = await rejection(bridge.executeProgram({ id, inputs }));
    expect(error).toMatchObject({ code, retryable, bridge: 'dspy', pythonType: 'ModelError' });
    expect(error.message).toContain(cause);
    expect(JSON.stringify(error.cause)).toContain(cause);
  });

  it('a stream tells the same', async () => {
    model.inject(fault);
    const error = await rejection(drain(bridge.streamProgram({ id, inputs })));
    expect(error).toMatchObject({ code, retryable, bridge: 'dspy' });
  });
});

describe('a provider', () => {
  it('that says when to come again is quoted', async () => {
    model.inject({ kind: 'status', status: 429, retryAfterS: 3 });
    const error = await rejection(bridge.executeProgram({ id, inputs }));
    expect(error.message).toContain('try again in 3 s');
    expect(error).toMatchObject({ retryAfterMs: 3_000 });
  });

  it('that is repeated by DSPy, where that is asked for, is not failed by one bad answer', async () => {
    const sessionId = 'patient';
    await bridge.configureLm({ ...configOf(model), numRetries: 2 }, { sessionId });
    const own = await bridge.createProgram({ signature: 'question -> answer' }, { sessionId });
    model.inject({ kind: 'status', status: 429, retryAfterS: 0 });
    expect(await bridge.executeProgram({ id: own, inputs }, { sessionId })).toEqual({
      answer: '24',
    });
  });

  it('that is slower than its own time limit is a timeout', async () => {
    const sessionId = 'hasty';
    await bridge.configureLm({ ...configOf(model), timeoutMs: 200 }, { sessionId });
    const own = await bridge.createProgram({ signature: 'question -> answer' }, { sessionId });
    model.inject({ kind: 'hang' });
    const error = await rejection(bridge.executeProgram({ id: own, inputs }, { sessionId }));
    expect(error).toMatchObject({ code: 'timeout', retryable: true });
  });

  it('that is slower than the call has time ends with the call, and its worker is not killed', async () => {
    model.inject({ kind: 'hang' });
    const error = await rejection(bridge.executeProgram({ id, inputs }, { timeoutMs: 500 }));
    expect(error).toMatchObject({ code: 'deadline_exceeded' });
    const { settled } = error['cancellation'] as { settled: Promise<string> };
    expect(await settled).toBe('interrupt');
  });

  it('that is slow is waited for', async () => {
    model.inject({ kind: 'slow', delayMs: 300 });
    expect(await bridge.executeProgram({ id, inputs })).toEqual({ answer: '24' });
  });

  it('that cannot be reached is a connection’s error', async () => {
    const sessionId = 'far';
    const gone = await startLocalModel();
    await gone.close();
    await bridge.configureLm(configOf(gone), { sessionId });
    const own = await bridge.createProgram({ signature: 'question -> answer' }, { sessionId });
    const error = await rejection(bridge.executeProgram({ id: own, inputs }, { sessionId }));
    expect(error).toMatchObject({ code: 'connection_error', retryable: true });
  });
});
