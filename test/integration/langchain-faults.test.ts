// What if LangChain's model server, its worker or its caller does not do their part? Faults, kills and cancellations, each in the middle of each kind of call.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { startLocalModel, type Fault, type LocalModel } from '../../src/testing/index.ts';
import {
  calculator,
  collected,
  startLangchain,
  type LangchainWorld,
} from '../support/langchain-runtime.ts';
import { nextEvent, rejection, until } from '../support/real-runtime.ts';

type Options = Parameters<LangchainWorld['chains']['runChain']>[2];

let world: LangchainWorld;
let model: LocalModel;
let chains: LangchainWorld['chains'];
let unconfigured: Error & Record<string, unknown>;

const WITHIN_MS = 5_000;

beforeAll(async () => {
  // Workers die here by order of the tests; that is no reason to give the pool up.
  const pool = { size: 2, breaker: false, maxRestarts: 50 } as const;
  world = await startLangchain(pool, { isConfigured: false });
  ({ model, chains } = world);
  const id = await chains.createChain('{x}');
  unconfigured = await rejection(chains.runChain(id, { x: '1' }));
  await world.runtime.ml.configure('langchain', world.config);
}, 60_000);
afterAll(() => world.stop());
afterEach(() => {
  model.clearFaults();
});

/** One of each kind of call that asks the model; `word` is in its prompt. */
const KINDS = {
  run_chain: (name: string, word: string, options: Options) =>
    chains.runChain(name, { word }, options),
  stream_chain: (name: string, word: string, options: Options) =>
    collected(chains.streamChain(name, { word }, options)),
  run_agent: (name: string, word: string, options: Options) =>
    chains.runAgent(name, `Say "${word}"`, options),
  stream_agent: (name: string, word: string, options: Options) =>
    collected(chains.streamAgent(name, `Say "${word}"`, options)),
  embed: (_name: string, word: string, options: Options) => chains.embed([word], options),
} as const;
const KIND_NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];

/** A chain and an agent of that name, in a session of that name. */
async function prepared(name: string): Promise<{ readonly sessionId: string }> {
  const session = { sessionId: name };
  await chains.createChain('Say "{word}"', { id: name, ...session });
  await chains.createAgent({ id: name, tools: [calculator] }, session);
  return session;
}

describe('the server', () => {
  const troubles: readonly (readonly [string, Fault, object])[] = [
    [
      'says 429',
      { kind: 'status', status: 429, retryAfterS: 7 },
      { code: 'rate_limited', retryable: true },
    ],
    ['says 500', { kind: 'status', status: 500 }, { code: 'unavailable', retryable: true }],
    ['says 401', { kind: 'status', status: 401 }, { code: 'unauthorized', retryable: false }],
    [
      'breaks off',
      { kind: 'break_stream', afterChunks: 2 },
      { code: 'connection_error', retryable: true },
    ],
    ['sends no JSON', { kind: 'bad_json' }, { code: 'invalid_response', retryable: false }],
  ];

  describe.each(KIND_NAMES)('of %s', (kind) => {
    it.each(troubles)('%s', async (_what, fault, found) => {
      const session = await prepared(`trouble ${kind}`);
      const call = KINDS[kind];
      model.inject(fault);
      const error = await rejection(
        call(session.sessionId, 'trouble', { ...session, maxRetries: 0 }),
      );
      expect(error).toMatchObject({ ...found, bridge: 'langchain', outcome: 'maybeExecuted' });
      if (fault.kind === 'status' && fault.retryAfterS !== undefined)
        expect(error).toMatchObject({
          message: expect.stringContaining('try again in 7 s') as string,
          retryAfterMs: 7_000,
        });
      // The next one of the session is none the worse.
      expect(JSON.stringify(await call(session.sessionId, 'better', session))).toBeTruthy();
    });
  });

  it('that is slow is waited for', async () => {
    const session = await prepared('slow');
    model.inject({ kind: 'slow', delayMs: 300 });
    expect(await chains.runChain('slow', { word: 'late' }, session)).toEqual({ output: 'late' });
  });

  it('that is slower than the caller’s patience is hung up on', async () => {
    const session = await prepared('patience');
    const before = model.aborted;
    model.inject({ kind: 'hang' });
    const error = await rejection(
      chains.runChain('patience', { word: 'never' }, { ...session, timeoutMs: 700 }),
    );
    expect(error).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    await until(() => model.aborted > before, WITHIN_MS);
  });

  it('that is not configured is missed with a code of its own', () => {
    expect(unconfigured).toMatchObject({ code: 'not_configured', retryable: false });
  });

  it('that is asked for nothing is repeated by the pool where that is harmless', async () => {
    model.inject({ kind: 'status', status: 500 });
    const asked = model.requestsCount;
    const { embeddings } = await chains.embed(['again']);
    expect(embeddings.shape[0]).toBe(1);
    expect(model.requestsCount - asked).toBe(2);
  });
});

describe('a worker that is killed', () => {
  it.each(KIND_NAMES)('in the middle of %s is replaced, and the session goes on', async (kind) => {
    const name = `kill ${kind}`;
    const session = await prepared(name);
    await chains.runAgent(name, 'Say "remember me"', session);
    model.inject({ kind: 'hang', match: { contains: `victim ${kind}` } });
    const call = rejection(KINDS[kind](name, `victim ${kind}`, { ...session, maxRetries: 0 }));
    await model.nextRequest({ matching: `victim ${kind}` });
    const victim = world.runtime.pool('langchain').workerOf(name);
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    expect(await call).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(JSON.stringify(await KINDS[kind](name, 'alive', session))).toBeTruthy();
    expect(world.runtime.pool('langchain').workerOf(name)?.pid).not.toBe(victim?.pid);
    // What was acknowledged is remembered, and what was cut short is not.
    const said = JSON.stringify((await chains.getMemory(session)).messages);
    expect(said).toContain('remember me');
    expect(said).not.toContain('victim');
  });

  it('while a tool runs is replaced, and the session goes on', async () => {
    const session = await prepared('kill tool');
    const callbacks = {
      calculate: () => {
        process.kill(world.runtime.pool('langchain').workerOf('kill tool')?.pid ?? 0, 'SIGKILL');
        return 'too late';
      },
    };
    const error = await rejection(
      chains.runAgent('kill tool', 'What is 3 * 3?', { ...session, callbacks }),
    );
    expect(error).toMatchObject({ code: 'worker_crashed' });
    const run = await chains.runAgent('kill tool', 'What is 3 * 4?', {
      ...session,
      callbacks: { calculate: () => 'twelve' },
    });
    expect(run.output).toContain('twelve');
  });
});

describe('a conversation', () => {
  it('is told whole to the model by the next worker, answers and tools included', async () => {
    const session = await prepared('memory');
    const callbacks = { calculate: () => 'forty-two' };
    await chains.runAgent('memory', 'What is 6 * 7?', { ...session, callbacks });
    const crashed = nextEvent(world.runtime, 'child.crashed');
    process.kill(world.runtime.pool('langchain').workerOf('memory')?.pid ?? 0, 'SIGKILL');
    await crashed;
    const asked = model.requestsCount;
    await chains.runAgent('memory', 'Say "and now"', session);
    expect(model.requestsCount - asked).toBe(1);
    const { messages } = model.requests.at(-1)?.body as { messages: { role: string }[] };
    expect(messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ]);
    expect(JSON.stringify(messages)).toContain('forty-two');
  });

  it('has threads, may be left out, and is forgotten when asked to be', async () => {
    const session = await prepared('threads');
    await chains.runAgent('threads', 'Say "one"', { ...session, thread: 'other' });
    const silent = await chains.runAgent('threads', 'Say "two"', { ...session, memory: false });
    expect(silent.rememberedBy).toBeNull();
    expect((await chains.getMemory(session)).messages).toEqual([]);
    expect((await chains.getMemory({ ...session, thread: 'other' })).messages).toHaveLength(2);
    await chains.clearMemory({ ...session, thread: 'other' });
    expect((await chains.getMemory({ ...session, thread: 'other' })).messages).toEqual([]);
  });
});

describe('callers', () => {
  it.each(KIND_NAMES)(
    'who abort %s close its request, and cost no worker its life',
    async (kind) => {
      const name = `abort ${kind}`;
      const session = await prepared(name);
      const before = model.aborted;
      const controller = new AbortController();
      model.inject({ kind: 'hang', match: { contains: `gone ${kind}` } });
      const { signal } = controller;
      const call = rejection(KINDS[kind](name, `gone ${kind}`, { ...session, signal }));
      await model.nextRequest({ matching: `gone ${kind}` });
      const pid = world.runtime.pool('langchain').workerOf(name)?.pid;
      controller.abort();
      expect(await call).toMatchObject({ code: 'aborted' });
      await until(() => model.aborted > before, WITHIN_MS);
      await KINDS[kind](name, 'next', session);
      expect(world.runtime.pool('langchain').workerOf(name)?.pid).toBe(pid);
    },
  );

  it.each(['stream_chain', 'stream_agent'] as const)(
    'who leave %s early close its request',
    async (kind) => {
      const session = await prepared(`leave ${kind}`);
      const before = model.aborted;
      model.inject({ kind: 'slow_tokens', perTokenMs: 50 });
      const name = session.sessionId;
      const stream =
        kind === 'stream_chain'
          ? chains.streamChain(name, { word: 'a b c d e f g h i j k l' }, session)
          : chains.streamAgent(name, 'Say "a b c d e f g h i j k l"', session);
      for await (const item of stream) {
        expect(item).toBeDefined();
        break;
      }
      await until(() => model.aborted > before, WITHIN_MS);
      expect((await chains.getMemory(session)).messages).toEqual([]);
    },
  );

  it('with two models of their own are answered by them, at once', async () => {
    await using other = await startLocalModel();
    const [ann, ben] = await Promise.all([prepared('ann'), prepared('ben')]);
    await chains.configureLlm({ ...world.config, api_base: other.baseUrl }, ben);
    for (const each of [model, other]) each.inject({ kind: 'slow', delayMs: 200 });
    const answers = await Promise.all([
      chains.runChain('ann', { word: 'for ann' }, ann),
      chains.runChain('ben', { word: 'for ben' }, ben),
    ]);
    expect(answers).toEqual([{ output: 'for ann' }, { output: 'for ben' }]);
    expect(other.requests.map(({ promptText }) => promptText)).toEqual(['Say "for ben"']);
  });

  it('are served at once by one worker', async () => {
    const workers = 2;
    const words = Array.from({ length: workers * 2 }, (_, index) => `together ${index}`);
    const id = await chains.createChain('Say "{word}"');
    model.inject({ kind: 'slow', delayMs: 1_000, times: words.length });
    const answers = Promise.all(words.map((word) => chains.runChain(id, { word })));
    // All of them are with the model before the first is answered, on half as many workers.
    await Promise.all(words.map((word) => model.nextRequest({ matching: word })));
    expect(await answers).toHaveLength(words.length);
  });
});
