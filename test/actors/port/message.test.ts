import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../../actors/ground/start-errors.ts';
import { parseControl, parseReply } from '../../../actors/port/message.ts';

const HELLO = {
  ...{ type: 'hello', protocol: '2.0', packageVersion: '0.1.0', python: '3.11.7' },
  ...{ implementation: 'cpython', pid: 4711, gil: 'enabled' },
};
const FRAMEWORK = { name: 'dspy', version: '3', capabilities: ['optimize'] };
const READY = { type: 'ready', bridge: 'dspy', framework: FRAMEWORK, operations: ['ping'] };
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
    ['hello with a pid that is no integer', { ...HELLO, pid: 1.5 }],
    ['ready with operations that are no texts', { ...READY, operations: [1] }],
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
  it.each([
    ['a result', { type: 'reply', id: 1, ok: true, result: { a: [1] } }],
    ['the result null', { type: 'reply', id: 1, ok: true, result: null }],
    ['an error', { type: 'reply', id: 1, ok: false, error: ERROR }],
    [
      'an error with a cause',
      { type: 'reply', id: 1, ok: false, error: { ...ERROR, cause: ERROR } },
    ],
  ])('is taken: %s', (_what, message) => {
    expect(parseReply(message)).toEqual(message);
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
  ])('is refused: %s', (_what, message) => {
    expect(() => parseReply(message)).toThrow(ProtocolError);
  });

  it('is refused, not allowed to exhaust the stack, when its causes are nested without end', () => {
    let error: object = ERROR;
    for (let depth = 0; depth < 20_000; depth += 1) error = { ...ERROR, cause: error };
    expect(() => parseReply({ type: 'reply', id: 1, ok: false, error })).toThrow(ProtocolError);
  });
});
