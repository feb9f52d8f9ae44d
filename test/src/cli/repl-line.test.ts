// Is a line understood as it was meant, and completed to what there is?
import { describe, expect, it } from 'vitest';

import { completionsOf, orderOf } from '../../../src/cli/repl-line.ts';

describe('a line', () => {
  it.each([
    [
      'words.count {"text":"a"}',
      { type: 'call', bridge: 'words', op: 'count', args: { text: 'a' } },
    ],
    ['  words.count   [1, 2]  ', { type: 'call', bridge: 'words', op: 'count', args: [1, 2] }],
    ['words.a.b', { type: 'call', bridge: 'words', op: 'a.b', args: {} }],
    ['.session ada', { type: 'command', name: 'session', argument: 'ada' }],
    ['.exit', { type: 'command', name: 'exit', argument: '' }],
    ['', { type: 'nothing' }],
    ['# a comment', { type: 'nothing' }],
  ])('%j is an order', (line, order) => {
    expect(orderOf(line)).toEqual(order);
  });

  it.each([
    ['words', 'words is no <bridge>.<operation>'],
    ['words. {}', 'words. is no <bridge>.<operation>'],
    ['words.count {text}', 'the arguments are no JSON'],
    ['.sesion', '.sesion is no command; did you mean .session?'],
  ])('%j is refused', (line, problem) => {
    expect(() => orderOf(line)).toThrow(problem);
  });
});

describe('a line that is being typed', () => {
  const known = new Map([
    ['words', ['count', 'clear']],
    ['world', ['spin']],
    ['dspy', ['ping']],
  ]);

  it.each([
    ['wor', ['words.', 'world.'], 'wor'],
    ['dsp', ['dspy.ping'], 'dsp'],
    ['words.c', ['words.count', 'words.clear'], 'words.c'],
    ['words.co', ['words.count'], 'words.co'],
    ['.st', ['.stats'], '.st'],
    ['.reload w', ['words', 'world'], 'w'],
    ['.session a', [], 'a'],
    ['words.count {', [], '{'],
    ['words.count {} {}', [], 'words.count {} {}'],
  ])('%j goes on with %j', (line, words, replaced) => {
    expect(completionsOf(line, known)).toEqual([words, replaced]);
  });

  it('may be anything at first', () => {
    expect(completionsOf('', known)[0]).toEqual(['words.', 'world.', 'dspy.']);
  });
});
