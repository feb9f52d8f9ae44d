import { describe, expect, it } from 'vitest';
import { answerTask } from '../../../src/testing/local-model/answer.ts';

const ask = (question: string, passage: string | null = null) =>
  answerTask({ question, passage, passageFrom: 'given' });

describe('the arithmetic of the local model', () => {
  it.each([
    ['What is 17 * 23?', '391'],
    ['2+2', '4'],
    ['What is 0.1 + 0.2?', '0.3'],
    ['10 - 4 * 2', '2'],
    ['(10 - 4) * 2', '12'],
    ['2(3 + 4)', '14'],
    ['-2^2', '-4'],
    ['(-2)^2', '4'],
    ['2^3^2', '512'],
    ['2^-2', '0.25'],
    ['2**10', '1024'],
    ['7 / 2', '3.5'],
    ['-7 mod 3', '2'],
    ['10 % 3', '1'],
    ['20% of 50', '10'],
    ['What is 15 percent of 200?', '30'],
    ['1,234.5 * 2', '2469'],
    ['6 × 7', '42'],
    ['8 ÷ 4', '2'],
    ['3 x 5', '15'],
    ['.5 + .5', '1'],
    ['--3 + 1', '4'],
    ['seventeen times three', '51'],
    ['What is two hundred and five plus one?', '206'],
    ['twenty-three minus four', '19'],
    ['What is 100 divided by 8?', '12.5'],
    ['What is 5 squared?', '25'],
    ['2 cubed', '8'],
    ['What is the square root of 144?', '12'],
    ['sqrt(9) + 1', '4'],
    ['What is the sum of 3 and 4?', '7'],
    ['Add 2 and 3', '5'],
    ['Subtract 4 from 10', '6'],
    ['Multiply 6 by 7', '42'],
    ['half of 9', '4.5'],
    ['1 / 3', '0.3333333333'],
    ['2 / 3', '0.6666666667'],
    ['2 - 2', '0'],
    ['0^0', '1'],
    ['99999999999999999999 + 1', '100000000000000000000'],
    ['Please calculate 12 * 12 for me.', '144'],
    ['Answer: what is 3+4?', '7'],
  ])('works out %s as %s', (question, expected) => {
    expect(ask(question).short).toBe(expected);
  });

  it.each([
    ['1 / 0', 'division by zero'],
    ['5 mod 0', 'division by zero'],
    ['0^-1', 'division by zero'],
    ['What is the square root of -4?', 'no real result'],
    ['9^9^9', 'too large'],
  ])('says in words why %s has no number', (question, words) => {
    const answer = ask(question);
    expect(answer.text).toContain(words);
    expect(answer.number).toBeNull();
  });

  it('says that a rounded result is only about right', () => {
    expect(ask('2 / 3').text).toBe('2 / 3 is about 0.6666666667');
  });

  it('explains its steps', () => {
    expect(ask('2 + 3 * 4').because).toContain('3 * 4 = 12; 2 + 12 = 14');
  });

  it.each([
    'On 2024-05-01 it rained.',
    'Ann was born in 1990.',
    'state-of-the-art',
    'see pages 12-14',
    '',
  ])('does not take "%s" for a sum', (question) => {
    expect(ask(question).rule).not.toBe('arithmetic');
  });

  it('leaves a question about a passage to the passage, although it holds a sum', () => {
    const answer = ask(
      'Which team won 3 - 1 in May?',
      'The Herons won 3 - 1 in May. The Owls lost.',
    );
    expect(answer.short).toBe('The Herons won 3 - 1 in May.');
  });

  it('refuses brackets nested beyond its bound instead of exhausting the stack', () => {
    expect(ask(`${'('.repeat(900)}1+1${')'.repeat(900)}`).rule).toBeDefined();
  });

  it.each([
    ['Is 7 > 3?', true, 'Yes'],
    ['Is 7 less than 3?', false, 'No'],
    ['Is 2 + 2 equal to 4?', true, 'Yes'],
    ['Is 2+2=5?', false, 'No'],
    ['3 >= 3', true, 'Yes'],
    ['True or false: 10 is greater than 2 * 6', false, 'No'],
    ['Is 91 prime?', false, 'No'],
    ['Is 97 a prime number?', true, 'Yes'],
    ['Is 8 even?', true, 'Yes'],
  ])('judges "%s" as %s', (question, truth, short) => {
    expect(ask(question)).toMatchObject({ rule: 'comparison', truth, short });
  });

  it('knows that 9.9 is larger than 9.11', () => {
    expect(ask('Which is larger, 9.11 or 9.9?').short).toBe('9.9');
  });
});
