// Does the unified interface know which bridge made a program whose id was chosen?
import { describe, expect, it } from 'vitest';
import { ChosenIds } from '../../src/ml-ids.ts';

describe('chosen ids', () => {
  it('belong to the bridge that made them, in their scope only', () => {
    const ids = new ChosenIds();
    ids.add('alice', 'qa', 'langchain');
    expect(ids.bridgesOf('alice', 'qa')).toEqual(['langchain']);
    expect(ids.bridgesOf('bob', 'qa')).toEqual([]);
    expect(ids.bridgesOf(undefined, 'qa')).toEqual([]);
  });

  it('are told of all bridges that have one, and no longer of those that have deleted it', () => {
    const ids = new ChosenIds();
    ids.add(undefined, 'qa', 'dspy');
    ids.add(undefined, 'qa', 'langchain');
    ids.add(undefined, 'qa', 'dspy');
    expect(ids.bridgesOf(undefined, 'qa')).toEqual(['dspy', 'langchain']);
    ids.remove(undefined, 'qa', 'dspy');
    expect(ids.bridgesOf(undefined, 'qa')).toEqual(['langchain']);
    ids.remove(undefined, 'qa', 'langchain');
    expect(ids.bridgesOf(undefined, 'qa')).toEqual([]);
  });

  it('do not run into each other where one session ends as an id begins', () => {
    const ids = new ChosenIds();
    ids.add('a', 'bc', 'dspy');
    expect(ids.bridgesOf('ab', 'c')).toEqual([]);
    ids.add(undefined, '1:ab', 'langchain');
    expect(ids.bridgesOf('a', 'b')).toEqual([]);
  });

  it('are forgotten from the oldest on when there is no more room', () => {
    const ids = new ChosenIds(2);
    for (const id of ['1', '2', '3']) ids.add(undefined, id, 'dspy');
    expect(ids.bridgesOf(undefined, '1')).toEqual([]);
    expect(ids.bridgesOf(undefined, '2')).toEqual(['dspy']);
    expect(ids.bridgesOf(undefined, '3')).toEqual(['dspy']);
  });
});
