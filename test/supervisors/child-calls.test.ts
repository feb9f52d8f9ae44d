import { describe, expect, it } from 'vitest';
import {
  judgeDeleteChild,
  judgeRestartChild,
  judgeStartChild,
  judgeStartDynamic,
  judgeStranger,
  judgeTerminateChild,
  type Place,
} from '../../supervisors/child-calls.ts';

const PLACES = ['absent', 'down', 'queued', 'starting', 'up', 'restarting'] as const;

/** One column of OTP's table: what is answered, place by place. */
function column(answers: Readonly<Record<Place, string>>): readonly (readonly [Place, string])[] {
  return PLACES.map((place) => [place, answers[place]]);
}

/** The verdict in one word: what is done, or the code of the refusal. */
const said = (verdict: { readonly type: string; readonly code?: string }): string => {
  if (verdict.type !== 'refuse') expect(verdict).toEqual({ type: verdict.type });
  return verdict.code ?? verdict.type;
};

describe('startChild with the id of a child that is', () => {
  it.each(
    column({
      absent: 'start',
      down: 'already_present',
      queued: 'already_started',
      starting: 'already_started',
      up: 'already_started',
      restarting: 'already_present',
    }),
  )('%s: %s', (place, answer) => {
    expect(said(judgeStartChild(place))).toBe(answer);
  });
});

describe('restartChild of a child that is', () => {
  it.each(
    column({
      absent: 'not_found',
      down: 'start',
      queued: 'running',
      starting: 'running',
      up: 'running',
      restarting: 'restarting',
    }),
  )('%s: %s', (place, answer) => {
    expect(said(judgeRestartChild(place))).toBe(answer);
  });
});

describe('deleteChild of a child that is', () => {
  it.each(
    column({
      absent: 'not_found',
      down: 'delete',
      queued: 'running',
      starting: 'running',
      up: 'running',
      restarting: 'restarting',
    }),
  )('%s: %s', (place, answer) => {
    expect(said(judgeDeleteChild(place))).toBe(answer);
  });
});

describe('terminateChild of a child that is', () => {
  it.each(
    column({
      absent: 'not_found',
      down: 'settle',
      queued: 'settle',
      starting: 'stop',
      up: 'stop',
      restarting: 'settle',
    }),
  )('%s: %s', (place, answer) => {
    expect(said(judgeTerminateChild(place))).toBe(answer);
  });
});

describe('a refusal', () => {
  it('says so, besides its code', () => {
    expect([judgeStartChild('up'), judgeTerminateChild('absent')]).toEqual([
      { type: 'refuse', code: 'already_started' },
      { type: 'refuse', code: 'not_found' },
    ]);
  });
});

describe('startChild of a dynamic supervisor', () => {
  it.each([
    [0, 0, 'max_children'],
    [0, 1, 'start'],
    [1, 1, 'max_children'],
    [2, 1, 'max_children'],
    [1_000, Number.POSITIVE_INFINITY, 'start'],
  ])('with %i of at most %d: %s', (count, max, answer) => {
    expect(said(judgeStartDynamic(count, max))).toBe(answer);
  });
});

describe('terminateChild of a stranger', () => {
  it.each([
    ['static', 'dead', 'settle'],
    ['static', 'alive', 'not_found'],
    ['dynamic', 'dead', 'not_found'],
    ['dynamic', 'alive', 'not_found'],
  ] as const)('of a %s supervisor, %s: %s', (flavour, stranger, answer) => {
    expect(said(judgeStranger(flavour, stranger))).toBe(answer);
  });
});
