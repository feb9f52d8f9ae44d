// Can people and programs read what is printed?
import { describe, expect, it } from 'vitest';

import { BridgeStartError, NdArray, RuntimeStoppedError } from '../../../src/index.ts';
import { errorJson, errorText, valueText } from '../../../src/cli/show.ts';

describe('a value', () => {
  it.each([
    ['a text', 'a text', 'a text', '"a text"'],
    ['an object', { a: [1, null] }, '{ a: [ 1, null ] }', '{"a":[1,null]}'],
    ['a big integer', 12n ** 20n, '3833759992447475122176n', '"3833759992447475122176"'],
    ['bytes', Buffer.from('hello'), '<Buffer 68 65 6c 6c 6f>', '"aGVsbG8="'],
    ['a typed array', Float32Array.of(0.5, 2), 'Float32Array(2) [ 0.5, 2 ]', '[0.5,2]'],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z', '"1970-01-01T00:00:00.000Z"'],
    ['nothing', undefined, 'undefined', 'null'],
  ])('%s is shown', (_, value, text, json) => {
    expect(valueText(value)).toBe(text);
    expect(valueText(value, { json: true })).toBe(json);
  });

  it('that is an array of numbers is nested lists to a program', () => {
    const matrix = NdArray.from(Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    expect(valueText({ matrix }, { json: true })).toBe('{"matrix":[[1,2,3],[4,5,6]]}');
    const pair = new NdArray('complex128', [1], Float64Array.of(1, -1));
    expect(valueText(pair, { json: true })).toBe('[[1,-1]]');
    const scalar = new NdArray('int64', [], BigInt64Array.of(7n));
    expect(valueText(scalar, { json: true })).toBe('"7"');
  });
});

describe('an error', () => {
  const remote = {
    type: 'ValueError',
    message: 'no',
    traceback: `Traceback\n${'line\n'.repeat(30)}ValueError: no\n`,
    code: 'python_error',
  };

  it('is told with its causes, and the last words of Python', () => {
    const error = new RuntimeStoppedError('pool words');
    error.cause = new BridgeStartError(remote);
    const lines = errorText(error).split('\n');
    expect(lines[0]).toMatch(/^runtime_stopped: pool words/u);
    expect(lines[1]).toMatch(/^because of bridge_start_failed: .*ValueError: no$/u);
    expect(lines.at(-1)).toBe('  | ValueError: no');
    expect(lines).toHaveLength(2 + 12);
  });

  it('shows no traceback of ours when a package is missing', () => {
    expect(errorText(new BridgeStartError({ ...remote, code: 'package_missing' }))).not.toContain(
      '|',
    );
  });

  it('is one line of JSON for a program', () => {
    const error = new RuntimeStoppedError('pool words');
    const told = JSON.parse(errorJson(error)) as { error: object };
    expect(told.error).toMatchObject({ code: 'runtime_stopped', retryable: error.retryable });
    expect(JSON.parse(errorJson('thrown'))).toMatchObject({ error: { message: 'thrown' } });
  });
});
