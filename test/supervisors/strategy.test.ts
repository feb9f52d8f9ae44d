import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blastOf, type Member } from '../../supervisors/strategy.ts';
import type { Strategy } from '../../supervisors/supervisor-flags.ts';

const ALL: readonly Member[] = [
  { id: 'a', restart: 'permanent' },
  { id: 'b', restart: 'temporary' },
  { id: 'c', restart: 'transient' },
  { id: 'd', restart: 'temporary' },
  { id: 'e', restart: 'permanent' },
];

describe('with one_for_one', () => {
  it.each(['one_for_one', 'simple_one_for_one'] as const)(
    'a restart touches only the child itself: %s',
    (strategy) => {
      expect(blastOf(strategy, ALL, 'c')).toEqual({ stop: [], remove: [], start: ['c'] });
    },
  );
});

describe('with one_for_all', () => {
  it('all others stop, the temporary ones are forgotten, all that are left start', () => {
    expect(blastOf('one_for_all', ALL, 'c')).toEqual({
      stop: ['a', 'b', 'd', 'e'],
      remove: ['b', 'd'],
      start: ['a', 'c', 'e'],
    });
  });
});

describe('with rest_for_one', () => {
  it('those that were started after it share its lot, and nobody before', () => {
    expect(blastOf('rest_for_one', ALL, 'c')).toEqual({
      stop: ['d', 'e'],
      remove: ['d'],
      start: ['c', 'e'],
    });
  });

  it('the first takes all with it, the last nobody', () => {
    expect(blastOf('rest_for_one', ALL, 'a').stop).toEqual(['b', 'c', 'd', 'e']);
    expect(blastOf('rest_for_one', ALL, 'e')).toEqual({ stop: [], remove: [], start: ['e'] });
  });
});

describe('a temporary child that is asked for by itself', () => {
  it.each(['one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one'] as const)(
    'is started and not forgotten: %s',
    (strategy) => {
      const { start, remove, stop } = blastOf(strategy, ALL, 'd');
      expect([start.includes('d'), remove.includes('d'), stop.includes('d')]).toEqual([
        ...[true, false, false],
      ]);
    },
  );
});

describe('whatever the children', () => {
  const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one'] as const;
  const group = fc
    .array(fc.constantFrom<Member['restart']>('permanent', 'transient', 'temporary'), {
      minLength: 1,
      maxLength: 8,
    })
    .chain((restarts) =>
      fc.record({
        members: fc.constant(
          restarts.map((restart, index): Member => ({ id: `m${index}`, restart })),
        ),
        index: fc.nat({ max: restarts.length - 1 }),
        strategy: fc.constantFrom<Strategy>(...STRATEGIES),
      }),
    );
  const check = (
    property: (
      members: readonly Member[],
      index: number,
      strategy: Strategy,
      blast: ReturnType<typeof blastOf>,
    ) => void,
  ) => {
    fc.assert(
      fc.property(group, ({ members, index, strategy }) => {
        property(members, index, strategy, blastOf(strategy, members, `m${index}`));
      }),
    );
  };
  const ids = (members: readonly Member[]) => members.map(({ id }) => id);

  it('the child itself starts and is never stopped nor forgotten', () => {
    check((_members, index, _strategy, { stop, remove, start }) => {
      expect(start).toContain(`m${index}`);
      expect([...stop, ...remove]).not.toContain(`m${index}`);
    });
  });

  it('rest_for_one never touches who stands before', () => {
    check((members, index, _strategy) => {
      const before = ids(members.slice(0, index));
      const { stop, remove, start } = blastOf('rest_for_one', members, `m${index}`);
      expect(before.filter((id) => [...stop, ...remove, ...start].includes(id))).toEqual([]);
    });
  });

  it('a temporary bystander is never started, and forgotten exactly when it is stopped', () => {
    check((members, index, _strategy, { stop, remove, start }) => {
      const bystanders = members.filter(
        ({ id, restart }) => restart === 'temporary' && id !== `m${index}`,
      );
      for (const { id } of bystanders) {
        expect(start).not.toContain(id);
        expect(remove.includes(id)).toBe(stop.includes(id));
      }
    });
  });

  it('who is stopped and not forgotten starts again, and nobody else but the child itself', () => {
    check((_members, index, _strategy, { stop, remove, start }) => {
      const back = stop.filter((id) => !remove.includes(id));
      expect([...start].sort()).toEqual([...back, `m${index}`].sort());
    });
  });

  it('all lists are in start order', () => {
    check((members, _index, _strategy, blast) => {
      for (const list of [blast.stop, blast.remove, blast.start]) {
        expect(list).toEqual(ids(members).filter((id) => list.includes(id)));
      }
    });
  });
});
