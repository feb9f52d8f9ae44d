// Does the linter of trees add up how long a stop may take, and tell of times that end too early?
import { describe, expect, it } from 'vitest';

import type { LintFinding } from '../../actors/ground/supervision-facts.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { asked, asking, child, lint, python, sup, unknown, warning } from './lint-trees.ts';

describe('the sum of shutdown times', () => {
  it('is told in seconds when it is more than a container gets', () => {
    expect(lint({ children: asking(9) })).toEqual([
      warning(
        'shutdown_sum',
        'root',
        "stopping may take up to 45 s, since children stop one after another and their shutdown times add up; container platforms kill after 30 s: shorten the children's shutdown",
      ),
    ]);
  });

  const total = (children: ChildSpec[]): string => {
    const probe = child('probe', { start: asked, shutdown: 1_000_000 });
    const [finding] = lint({ children: [probe, ...children] });
    return /up to ([\d.]+) s/u.exec(finding?.message ?? '')?.[1] ?? '';
  };

  it.each<[string, ChildSpec[], string]>([
    ['of logic that is not asked nothing', [child('a')], '1000'],
    ['of a machine that is asked its own time', asking(1, 3_000), '1003'],
    [
      'of a start function its own time',
      [child('f', { start: () => 'ignore', shutdown: 2_000 })],
      '1002',
    ],
    ['of a Python worker its own time', [child('p', { start: python, shutdown: 2_500 })], '1002.5'],
    ['of brutal_kill nothing', [child('k', { start: asked, shutdown: 'brutal_kill' })], '1000'],
    ['of a supervisor the sum of its children', [sup('s', { children: asking(3) })], '1015'],
    [
      'of a supervisor that says nothing of itself nothing',
      [child('u', { start: unknown })],
      '1000',
    ],
    [
      'of such a one with a time that time',
      [child('u', { start: unknown, shutdown: 4_000 })],
      '1004',
    ],
    [
      'of a supervisor with a time no more than that',
      [sup('s', { children: asking(3) }, { shutdown: 6_000 })],
      '1006',
    ],
    [
      'of a supervisor with a time no more than its children need',
      [sup('s', { children: asking(3) }, { shutdown: 16_000 })],
      '1015',
    ],
    [
      'of a supervisor with a time and children without one that time',
      [
        sup(
          's',
          { children: [child('i', { start: asked, shutdown: 'infinity' })] },
          { shutdown: 6_000 },
        ),
      ],
      '1006',
    ],
  ])('counts %s', (_what, children, seconds) => {
    expect(total(children)).toBe(seconds);
  });

  it('is silent up to the limit itself', () => {
    expect(lint({ children: asking(6) })).toEqual([]);
    expect(
      lint({ children: [...asking(6), ...asking(1, 1).map((one) => ({ ...one, id: 'x' }))] }),
    ).toHaveLength(1);
  });

  it('is nobody’s to tell where a worker has none at all', () => {
    const children = [
      sup('s', { children: [child('a', { start: asked, shutdown: 'infinity' })] }),
      child('b', { shutdown: 'infinity' }),
    ];
    expect(lint({ name: 'top', children })).toEqual([
      warning(
        'shutdown_unbounded',
        'top/s/a',
        'its shutdown is infinity: if it does not end by itself, stopping top takes for ever; give it milliseconds',
      ),
    ]);
    const both = [...asking(7), child('c', { start: asked, shutdown: 'infinity' })];
    expect(lint({ children: both }).map(({ rule }) => rule)).toEqual([
      'shutdown_sum',
      'shutdown_unbounded',
    ]);
  });
});

describe('a finite shutdown of a supervisor', () => {
  const inner = { children: asking(3) };
  const killed = (path: string, when: string, needs: string): LintFinding =>
    warning(
      'finite_shutdown',
      path,
      `${when} everything that still runs below this supervisor is killed, though its children may take ${needs}: give it infinity, its children bound it`,
    );

  it('is told with what its children may need', () => {
    expect(lint({ children: [sup('s', inner, { shutdown: 2_000 })] })).toEqual([
      killed('root/s', 'after 2 s', 'up to 15 s'),
    ]);
    expect(lint({ children: [sup('s', inner, { shutdown: 'brutal_kill' })] })).toEqual([
      killed('root/s', 'at once', 'up to 15 s'),
    ]);
    const endless = { children: [child('a', { start: asked, shutdown: 'infinity' })] };
    expect(lint({ children: [sup('s', endless, { shutdown: 1_000 })] })).toEqual([
      killed('root/s', 'after 1 s', 'for ever'),
    ]);
    const other = child('u', { start: unknown, shutdown: 1_000 });
    expect(lint({ children: [other] })).toEqual([
      killed('root/u', 'after 1 s', 'whatever it may need'),
    ]);
    const typed = child('t', { start: () => 'ignore', type: 'supervisor', shutdown: 1_000 });
    expect(lint({ children: [typed] })).toHaveLength(1);
  });

  it('is fine where it is enough, or where nothing has to be waited for', () => {
    for (const shutdown of [15_000, 20_000, 'infinity'] as const)
      expect(lint({ children: [sup('s', inner, { shutdown })] })).toEqual([]);
    const quick = { children: [child('a')] };
    for (const shutdown of [0, 'brutal_kill'] as const)
      expect(lint({ children: [sup('s', quick, { shutdown })] })).toEqual([]);
    expect(lint({ children: [child('m', { type: 'supervisor', shutdown: 1 })] })).toEqual([]);
    expect(lint({ children: [child('w', { start: asked, shutdown: 1 })] })).toEqual([]);
  });
});
