import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { parseControl, parseData } from '../../../actors/port/parse-message.ts';

const HELLO = {
  ...{ type: 'hello', protocol: '2.1', packageVersion: '0.1.0', python: '3.11.7' },
  ...{ implementation: 'cpython', pid: 4711, gil: 'enabled' },
};
const FRAMEWORK = { name: 'dspy', version: '3', capabilities: ['optimize'] };
const READY = {
  ...{ type: 'ready', bridge: 'dspy', framework: FRAMEWORK, operations: ['ping'] },
  ...{ schemas: { ping: { stream: true } }, schemaHash: '9f86', execution: 'sync', concurrency: 1 },
};
const PONG = { type: 'pong', seq: 1, running: 17 };
const WITHDRAWN = { type: 'withdrawn', id: 1, ok: true };
const ERROR = { type: 'ValueError', message: 'bad', traceback: 'Traceback', code: 'python_error' };
const LOG = { type: 'log', level: 'info', logger: 'dspy', message: 'hi', callId: 3 };

function without(message: object, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(message).filter(([name]) => name !== key));
}

describe('a message of the control lane', () => {
  it.each([
    ['hello', HELLO],
    ['ready', READY],
    ['failed', { type: 'failed', error: ERROR }],
    [
      'failed with causes',
      { type: 'failed', error: { ...ERROR, cause: { ...ERROR, cause: ERROR } } },
    ],
    ['pong', PONG],
    ['pong of an idle worker', { ...PONG, running: null }],
    ['withdrawn', WITHDRAWN],
    ['log', LOG],
    ['log outside of a call', { ...LOG, callId: null }],
  ])('is taken: %s', (_what, message) => {
    expect(parseControl(message)).toEqual(message);
  });

  it('may have keys that this version does not know', () => {
    expect(parseControl({ ...HELLO, future: 1 })).toEqual(HELLO);
  });

  it.each<readonly [what: string, message: Record<string, unknown>]>([
    ['of unknown type', { type: 'ping' }],
    ['without type', {}],
    ['whose type is no text', { type: 7 }],
    ...Object.keys(HELLO).map((key) => [`hello without ${key}`, without(HELLO, key)] as const),
    ...Object.keys(READY).map((key) => [`ready without ${key}`, without(READY, key)] as const),
    ...Object.keys(LOG).map((key) => [`log without ${key}`, without(LOG, key)] as const),
    ...Object.keys(PONG).map((key) => [`pong without ${key}`, without(PONG, key)] as const),
    ...Object.keys(WITHDRAWN).map(
      (key) => [`withdrawn without ${key}`, without(WITHDRAWN, key)] as const,
    ),
    ['hello with a pid that is no integer', { ...HELLO, pid: 1.5 }],
    ['ready with operations that are no texts', { ...READY, operations: [1] }],
    ['ready with schemas that are no objects', { ...READY, schemas: { ping: 1 } }],
    ['ready with schemas that are a list', { ...READY, schemas: [] }],
    ['ready with a hash that is no hash', { ...READY, schemaHash: 'x'.repeat(65) }],
    ['ready of an execution that there is not', { ...READY, execution: 'greenlets' }],
    ['ready that runs no call', { ...READY, concurrency: 0 }],
    ['ready that runs half a call', { ...READY, concurrency: 1.5 }],
    ['pong with a number that is no integer', { ...PONG, seq: 0.5 }],
    ['log of unknown level', { ...LOG, level: 'trace' }],
    ['failed without error', { type: 'failed' }],
    [
      'failed with an error without traceback',
      { type: 'failed', error: without(ERROR, 'traceback') },
    ],
    ['failed with a bad cause', { type: 'failed', error: { ...ERROR, cause: {} } }],
    ['that is a reply', { type: 'reply', id: 1, ok: true, result: 1 }],
  ])('is refused: %s', (_what, message) => {
    expect(() => parseControl(message)).toThrow(ProtocolError);
  });

  it('is refused with its type and the field in the message', () => {
    expect(() => parseControl(without(HELLO, 'gil'))).toThrow(/"hello"[\s\S]*gil/u);
  });
});

describe('a refusal of a message', () => {
  const parseReply = (message: Record<string, unknown>) => parseData(message, []);
  const deep: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
  const refusalOf = (parse: (message: Record<string, unknown>) => unknown, message: object) => {
    try {
      parse({ ...message });
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it.each([
    ['control', parseControl],
    ['replies', parseReply],
  ])('is not allowed to exhaust the stack over a type nested without end: %s', (_lane, parse) => {
    expect(refusalOf(parse, { type: deep })).toBeInstanceOf(ProtocolError);
  });

  it.each([
    ['a long type', parseControl, { type: 'x'.repeat(1_000_000) }],
    ['a long type of a reply', parseReply, { type: 'x'.repeat(1_000_000) }],
    ['many wrong operations', parseControl, { ...READY, operations: Array(10_000).fill(1) }],
    [
      'many wrong capabilities',
      parseControl,
      { ...READY, framework: { ...FRAMEWORK, capabilities: Array(10_000).fill(1) } },
    ],
  ])('is a short text, however much was found: %s', (_what, parse, message) => {
    const refusal = refusalOf(parse, message);
    expect(refusal).toBeInstanceOf(ProtocolError);
    expect((refusal as Error).message.length).toBeLessThan(500);
  });
});

describe('a message of the replies lane', () => {
  const ITEM = { type: 'item', id: 1, seq: 0, value: { a: 1 } };
  const CALLBACK = {
    ...{ type: 'callback', id: 1, callback: 2, name: 'search', args: { q: 'x' }, timeoutMs: 5 },
  };

  it.each([
    ['a result', { type: 'reply', id: 1, ok: true, result: { a: [1] } }],
    ['the result null', { type: 'reply', id: 1, ok: true, result: null }],
    ['an error', { type: 'reply', id: 1, ok: false, error: ERROR }],
    [
      'an error with a cause',
      { type: 'reply', id: 1, ok: false, error: { ...ERROR, cause: ERROR } },
    ],
    ['an item', ITEM],
    ['progress', { type: 'progress', id: 1, value: 0.5 }],
    ['a callback', CALLBACK],
    ['a callback that is waited for as long as the call has', { ...CALLBACK, timeoutMs: null }],
  ])('is taken: %s', (_what, message) => {
    expect(parseData(message, [])).toEqual(message);
  });

  it('may leave out how long a callback is waited for', () => {
    expect(parseData(without(CALLBACK, 'timeoutMs'), [])).toEqual({ ...CALLBACK, timeoutMs: null });
  });

  it.each([
    ['result', { type: 'reply', id: 1, ok: true }],
    ['value', { type: 'item', id: 1, seq: 0 }],
    ['value', { type: 'progress', id: 1 }],
    ['args', without(CALLBACK, 'args')],
  ])('has its %s decoded, with the raw segments: %o', (field, message) => {
    const value = { big: 2n ** 70n, data: Int16Array.of(1, 2) };
    const { json, segments } = encodeValue(value, 'value');
    const parsed = parseData(
      { ...message, [field]: json, tagged: true },
      segments.map((one) => Buffer.from(one)),
    );
    expect(parsed).toEqual({ ...message, [field]: value });
  });

  it('is not looked through when it does not say that it holds tags', () => {
    const result = { $: 'nan' };
    expect(parseData({ type: 'reply', id: 1, ok: true, result }, [])).toMatchObject({ result });
  });

  it.each([
    ['of another type', { type: 'log', id: 1, ok: true }],
    ['without type', { id: 1, ok: true }],
    ['without id', { type: 'reply', ok: true }],
    ['whose id is text', { type: 'reply', id: '1', ok: true }],
    ['without ok', { type: 'reply', id: 1 }],
    ['whose ok is a number', { type: 'reply', id: 1, ok: 1 }],
    ['that failed without an error', { type: 'reply', id: 1, ok: false }],
    ['that failed with half an error', { type: 'reply', id: 1, ok: false, error: { type: 'E' } }],
    ['an item without id', without(ITEM, 'id')],
    ['an item without seq', without(ITEM, 'seq')],
    ['progress without id', { type: 'progress', value: 1 }],
    ['a callback without its number', without(CALLBACK, 'callback')],
    ['a callback without name', without(CALLBACK, 'name')],
    ['a callback whose time is text', { ...CALLBACK, timeoutMs: '5' }],
    ['an unknown tag', { type: 'item', id: 1, seq: 0, tagged: true, value: { $: 'set' } }],
    ['a segment that is not there', { ...ITEM, tagged: true, value: { $: 'bytes', i: 0 } }],
  ])('is refused: %s', (_what, message) => {
    expect(() => parseData(message, [])).toThrow(ProtocolError);
  });

  it('is refused, not allowed to exhaust the stack, when its causes are nested without end', () => {
    let error: object = ERROR;
    for (let depth = 0; depth < 20_000; depth += 1) error = { ...ERROR, cause: error };
    const reply = { type: 'reply', id: 1, ok: false, error };
    expect(() => parseData(reply, [])).toThrow(ProtocolError);
  });
});
