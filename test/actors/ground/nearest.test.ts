// Is a misspelt name told the one that was meant, and nothing far-fetched?
import { describe, expect, it } from 'vitest';

import { nearestName, suggestion } from '../../../actors/ground/nearest.ts';

const KNOWN = ['size', 'overflow', 'queueLengthMax', 'queueBytesMax', 'maxAgeMs'];

describe('the nearest name', () => {
  it.each([
    ['sise', 'size'],
    ['sizes', 'size'],
    ['szie', 'size'],
    ['siz', 'size'],
    ['SIZE', 'size'],
    ['overFlow', 'overflow'],
    ['queuelengthmax', 'queueLengthMax'],
    ['queueByteMax', 'queueBytesMax'],
    ['maxAge', 'maxAgeMs'],
  ])('of %s is %s', (given, meant) => {
    expect(nearestName(given, KNOWN)).toBe(meant);
  });

  it.each(['', 'x', 'pool', 'timeout', 'xyz'])('of %j is none', (given) => {
    expect(nearestName(given, KNOWN)).toBeUndefined();
  });

  it('of two that are alike is the more alike one, wherever it stands', () => {
    expect(nearestName('maxRestart', ['maxRetries', 'maxRestarts'])).toBe('maxRestarts');
    expect(nearestName('maxRestart', ['maxRestarts', 'maxRetries'])).toBe('maxRestarts');
  });
});

describe('what is said of an unknown name', () => {
  it.each([
    ['sise', KNOWN, 'did you mean size?'],
    ['volume', ['size', 'overflow'], 'there are size, overflow'],
    ['size', [], 'there are none'],
  ])('%s', (given, known, said) => {
    expect(suggestion(given, known)).toBe(said);
  });
});
