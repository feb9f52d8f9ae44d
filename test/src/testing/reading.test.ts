import { describe, expect, it } from 'vitest';
import { answerTask } from '../../../src/testing/local-model/answer.ts';
import { keywordsOf, summarySentences } from '../../../src/testing/local-model/extract.ts';
import { readConversation, type ChatMessage } from '../../../src/testing/local-model/prompt.ts';
import { namesOf, sentencesOf } from '../../../src/testing/local-model/text.ts';

const PASSAGE = `The Harbour Bridge in Port Ellery was opened on 12 May 1931 after eight years of work. It was designed by the engineer Marta Lindqvist, who had studied in Zurich. The bridge carries 48,000 vehicles a day across the mouth of the river Orrin. It is 1,149 metres long and 134 metres tall.

The city has 210,000 inhabitants. Most of them live on the northern shore, because the southern shore floods in winter. A ferry named Selkie still crosses twice a day for tourists. The steel came from a foundry in Dortmund. Its paint is renewed every five years by a team of thirty painters. Dr. J. Okafor leads the bridge museum.`;

const ask = (question: string) => answerTask({ question, passage: PASSAGE, passageFrom: 'given' });

describe('reading a passage', () => {
  it.each([
    ['Who designed the bridge?', 'Marta Lindqvist'],
    ['When was the bridge opened?', '12 May 1931'],
    ['How long is the bridge?', '1,149 metres'],
    ['How tall is the bridge?', '134 metres'],
    ['How many vehicles cross the bridge each day?', '48,000'],
    ['How many people live in the city?', '210,000'],
    ['Why do most people live on the northern shore?', 'because the southern shore floods'],
    ['Where did the steel come from?', 'Dortmund'],
    ['What is the name of the ferry?', 'Selkie'],
    ['How often is the paint renewed?', 'every five years'],
    ['Where did Marta Lindqvist study?', 'Zurich'],
    ['Which river does the bridge cross?', 'Orrin'],
    ['Who leads the museum?', 'Dr. J. Okafor leads the bridge museum.'],
  ])('answers "%s" with a sentence that holds "%s"', (question, expected) => {
    const answer = ask(question);
    expect(answer.rule).toBe('extraction');
    expect(answer.short).toContain(expected);
    expect(sentencesOf(PASSAGE)).toContain(answer.short);
  });

  it.each([
    'Who painted the Mona Lisa?',
    'What does the mayor earn?',
    'What is the capital of France?',
  ])('says honestly that the passage does not answer "%s"', (question) => {
    expect(ask(question)).toMatchObject({ rule: 'not-said', short: 'The passage does not say.' });
  });

  it('tells which sentence it picked and by which words', () => {
    expect(ask('Who designed the bridge?').because).toMatch(
      /^Sentence 2 of 10 .*\(designed\).*name/,
    );
  });

  it('splits neither at titles nor at initials nor at decimals', () => {
    expect(sentencesOf('Dr. J. Smith paid 3.50 euros. He left.')).toEqual([
      'Dr. J. Smith paid 3.50 euros.',
      'He left.',
    ]);
  });

  it('finds names but not the words that merely open a sentence', () => {
    expect(namesOf('However, Ann Lee met the Bank of Oslo. The end.')).toEqual([
      'Ann Lee',
      'Bank of Oslo',
    ]);
  });

  it('sums a passage up with its own sentences, in their order', () => {
    const summary = summarySentences(PASSAGE, 2);
    expect(summary).toHaveLength(2);
    expect(PASSAGE.indexOf(summary[0] ?? '')).toBeLessThan(PASSAGE.indexOf(summary[1] ?? ''));
  });

  it('names the words that a passage uses most', () => {
    expect(keywordsOf(PASSAGE, 1)).toEqual(['Bridge']);
  });
});

type Said = readonly [ChatMessage['role'], string];
const converse = (...said: Said[]) =>
  answerTask(
    readConversation(said.map(([role, text]) => ({ role, text, toolCallId: null, toolCalls: [] }))),
  ).text;

describe('reading a plain prompt', () => {
  const honey = 'Bees make honey.';
  it.each([
    ['labels', 'Context: Bees make honey.\nWasps sting.\n\nQuestion: What do bees make?\nAnswer:'],
    [
      'labels in the other order',
      'Question: What do bees make?\nPassage: Bees make honey. Wasps sting.',
    ],
    [
      'a Helpful Answer prompt',
      "Use the following pieces of context to answer the question at the end. If you don't know, say so.\n\nBees make honey. Wasps sting.\n\nQuestion: What do bees make?\nHelpful Answer:",
    ],
    [
      'a retrieval prompt',
      'Answer the question based only on the following context:\nBees make honey. Wasps sting.\n\nQuestion: What do bees make?',
    ],
    ['tags', '<context>Bees make honey. Wasps sting.</context>\nWhat do bees make?'],
    [
      'a last sentence that asks',
      'Bees make honey. Wasps sting in late summer. What do bees make?',
    ],
  ])('finds passage and question in %s', (_, prompt) => {
    expect(converse(['user', prompt])).toBe(honey);
  });

  it('reads a passage out of the system message', () => {
    expect(
      converse(
        ['system', 'You are helpful. Bees make honey. Wasps sting.'],
        ['user', 'What do bees make?'],
      ),
    ).toBe(honey);
  });

  it('does not take instructions for a passage', () => {
    expect(
      converse(
        ['system', 'You are a helpful assistant. Answer briefly.'],
        ['user', 'What do bees make?'],
      ),
    ).toContain('rule-based local model');
  });

  it('remembers what the user said before', () => {
    expect(
      converse(['user', 'My name is Ann.'], ['assistant', 'Noted.'], ['user', 'What is my name?']),
    ).toBe('My name is Ann.');
  });

  it('answers only the last user message', () => {
    expect(converse(['user', 'What is 1+1?'], ['assistant', '2'], ['user', 'What is 3+4?'])).toBe(
      '3 + 4 = 7',
    );
  });

  it('reads past "Answer this question:"', () => {
    expect(converse(['user', 'Answer this question: What is 3+4?'])).toBe('3 + 4 = 7');
  });

  it('sums up what stands after "Summarise:"', () => {
    expect(converse(['user', 'Summarise: Bees make honey. Bees live in hives. Cats sleep.'])).toBe(
      'Bees make honey. Bees live in hives.',
    );
  });

  it('repeats quoted words when asked to', () => {
    expect(converse(['user', 'Please say "pong"'])).toBe('pong');
  });

  it.each(['Who are you?', 'What are you?', 'Are you a real person?'])(
    'says what it is when asked "%s"',
    (asked) => {
      expect(converse(['user', asked])).toMatch(/rule-based local model.*not a neural network/);
    },
  );

  it('says what it can do when it can do nothing', () => {
    expect(converse(['user', 'Write a poem about the sea.'])).toMatch(
      /arithmetic.*passage.*will not guess/,
    );
  });
});
