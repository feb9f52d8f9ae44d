// Is everything that may be a bridge one? Each form on a real process: operations with hints, any class, a module of functions.
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import {
  createRuntime,
  defineAdapter,
  type BridgeConfig,
  type BridgeHandle,
  type Runtime,
} from '../../src/index.ts';
import { fixture, PYTHON, rejection } from '../support/real-runtime.ts';

/** Where a script of version 1 finds our package: a worker is told otherwise. */
const PYTHON_SOURCES = path.join(import.meta.dirname, '..', '..', 'python', 'src');
const anything = defineAdapter({ framework: 'form', operations: {} });

let runtime: Runtime | undefined;
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
});

async function start(bridge: Omit<BridgeConfig, 'adapter'>): Promise<BridgeHandle> {
  const form: BridgeConfig = { adapter: anything, pool: { size: 1 }, ...bridge };
  runtime = await createRuntime({ python: PYTHON, logger: false, bridges: { form } });
  return runtime.pool('form');
}

interface Capabilities {
  readonly framework: Readonly<Record<string, unknown>>;
  readonly supported_operations: readonly string[];
  readonly operations: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describe('a class with operations', () => {
  const words = { scriptPath: fixture('forms/words_bridge.py') };

  it('gets its arguments by name or by position, as what its hints name', async () => {
    const bridge = await start(words);
    expect(await bridge.call('count', { text: 'a b a', ignore: ['a'] })).toBe(1);
    expect(await bridge.call('count', { '*': ['a b'] })).toBe(2);
    const entry = { word: 'Haus', language: 'de' };
    expect(await bridge.call('add', { word: 'Haus', entry }, { sessionId: 'alice' })).toEqual({
      entries: 1,
    });
    expect(await bridge.call('entries', {}, { sessionId: 'alice' })).toEqual([entry]);
    expect(await bridge.call('entries', {}, { sessionId: 'bob' })).toEqual([]);
  });

  it.each([
    [{}, 'text'],
    [{ text: 'a', txt: 'a' }, 'txt'],
    [{ text: 5 }, 'text'],
    [{ text: 'a', ignore: ['a', 1] }, 'ignore'],
  ])('refuses %j before anything is sent, by its schema', async (args, name) => {
    const bridge = await start(words);
    const error = await rejection(bridge.call('count', args));
    expect(error).toMatchObject({ code: 'invalid_arguments', outcome: 'notSent' });
    expect(error.message).toContain(name);
  });

  it.each([
    // Infinity is no JSON, of which alone a schema speaks: these are left to Python.
    [{ text: Infinity }, 'args.text must be a string, not float'],
    [{ text: 'a', ignore: ['a', NaN] }, 'args.ignore[1] must be a string, not float'],
    [{ text: 'a', txt: Infinity }, 'args.txt is no argument; did you mean text?'],
    [{ '*': ['a', [], 1] }, 'args are 3 values, at most 2 are taken'],
    [{ '*': [5] }, 'args.text must be a string, not int'],
  ])('refuses %o in Python too, and lives', async (args, finding) => {
    const bridge = await start(words);
    const error = await rejection(bridge.call('count', args));
    expect(error).toMatchObject({ code: 'invalid_arguments', pythonType: 'BridgeError' });
    expect(error.message).toContain(finding);
    expect(await bridge.call('count', { text: 'a' })).toBe(1);
  });

  it('is told of a result that it has not promised', async () => {
    const bridge = await start(words);
    const error = await rejection(bridge.call('broken'));
    expect(error).toMatchObject({ code: 'invalid_result' });
    expect(error.message).toContain('broken: result must be an integer, not str');
  });

  it('streams what its generators yield, and collects it for who asks for no stream', async () => {
    const bridge = await start(words);
    expect(await collected(bridge.stream('each', { text: 'one two' }))).toEqual(['one', 'two']);
    expect(await collected(bridge.stream('each_later', { text: 'a b' }))).toEqual(['a', 'b']);
    expect(await bridge.call('each', { text: 'one two' })).toEqual(['one', 'two']);
  });

  it('answers the calls of a batch together, and each by itself', async () => {
    const adapter = defineAdapter({
      framework: 'form',
      operations: { lengths: { batch: { maxSize: 3, maxWaitMs: 5_000 } } },
    });
    const bridge = await start({ ...words, ...{ adapter } });
    const texts = [{ text: 'a' }, { text: Infinity }, { text: 'abc' }];
    const settled = await Promise.allSettled(texts.map((args) => bridge.call('lengths', args)));
    expect(settled).toMatchObject([
      { status: 'fulfilled', value: 201 },
      { status: 'rejected', reason: { code: 'invalid_arguments' } },
      { status: 'fulfilled', value: 203 },
    ]);
    // A session's calls are never put together.
    expect(await bridge.call('lengths', { text: 'alone' }, { sessionId: 'a' })).toBe(105);
  });

  it('is served by version 1 as well, where the session comes among the arguments', async () => {
    const env = { PYTHONPATH: PYTHON_SOURCES };
    const bridge = await start({ ...words, protocol: 'v1', env });
    const entry = { word: 'Haus', language: 'de' };
    await bridge.call('add', { word: 'Haus', entry }, { sessionId: 'alice' });
    expect(await bridge.call('entries', {}, { sessionId: 'alice' })).toEqual([entry]);
    expect(await bridge.call('entries', {}, { sessionId: 'bob' })).toEqual([]);
    expect(await bridge.call('each_later', { text: 'a b' })).toEqual(['a', 'b']);
    expect((await rejection(bridge.call('count', {}))).message).toContain('args.text is missing');
  });

  it('says of its operations what is known of them', async () => {
    const bridge = await start(words);
    const found = (await bridge.call('get_capabilities')) as Capabilities;
    expect(found.framework).toEqual({ name: 'words', version: '1.0.0', capabilities: ['words'] });
    expect(found.supported_operations).toEqual([
      ...['ping', 'get_stats', 'shutdown', 'get_capabilities'],
      ...['count', 'add', 'entries', 'each', 'each_later', 'lengths', 'broken'],
    ]);
    const { count, add, each, lengths } = found.operations;
    expect(count).toEqual({
      args: {
        type: 'object',
        properties: {
          text: { type: 'string' },
          ignore: {
            anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }],
            default: null,
          },
        },
        required: ['text'],
        additionalProperties: false,
      },
      result: { type: 'integer' },
      description: 'Count the words of a text.',
    });
    expect(add).toMatchObject({ change: 'create', key: 'word' });
    expect(each).toMatchObject({ stream: true, result: { type: 'string' } });
    expect(lengths).toMatchObject({ batch: true, args: { required: ['text'] } });
  });
});

describe('a class that knows nothing of bridges', () => {
  it('is built without arguments, and its public methods are operations', async () => {
    const bridge = await start({
      pythonModule: 'plain_model',
      pythonClass: 'Model',
      env: { PYTHONPATH: fixture('forms') },
    });
    expect(await bridge.call('predict', { xs: [1, 2.5] })).toEqual([2, 5]);
    await bridge.call('fit', { '*': [3] });
    expect(await bridge.call('predict', { '*': [[1]] })).toEqual([3]);
    const found = (await bridge.call('get_capabilities')) as Capabilities;
    expect(found.framework['name']).toBe('model');
    expect(found.supported_operations.slice(4)).toEqual(['predict', 'fit']);
  });
});

describe('a module of functions', () => {
  it.each([
    ['by its path', { scriptPath: fixture('forms/plain_functions.py') }],
    ['by its name', { pythonModule: 'plain_functions', env: { PYTHONPATH: fixture('forms') } }],
  ])('is a bridge %s', async (_name, place) => {
    const bridge = await start(place);
    expect(await bridge.call('predict', { rows: [1, 2, 3] })).toBe(2);
    expect(await bridge.call('predict', { '*': [[1, 2, 3]] })).toBe(2);
    expect(await collected(bridge.stream('count_to', { n: 3 }))).toEqual([1, 2, 3]);
    expect(await bridge.call('untyped', { value: { any: 'thing' } })).toEqual([
      ...[{ any: 'thing' }, 2, 4],
    ]);
    expect(await rejection(bridge.call('predict', { rows: 'text' }))).toMatchObject({
      code: 'invalid_arguments',
    });
    const found = (await bridge.call('get_capabilities')) as Capabilities;
    expect(found.framework).toMatchObject({ name: 'plain_functions', version: '3.2.1' });
    expect(found.supported_operations.slice(4)).toEqual(['predict', 'count_to', 'untyped']);
  });
});

describe('what is no bridge', () => {
  it('fails to start, and says what was looked for', async () => {
    const failed = start({
      scriptPath: fixture('forms/plain_model.py'),
      pool: { size: 1, maxConsecutiveStartFailures: 1 },
    });
    const error = await rejection(failed);
    expect((error.cause as Error).message).toContain(
      'defines no bridge: neither a subclass of BaseBridge nor a public function',
    );
  });
});

async function collected(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}
