// Does the linter of trees say what will happen, in numbers, and is it silent about sensible trees?
import { setup } from 'xstate';
import { describe, expect, it } from 'vitest';

import { dynamicSupervisor } from '../../supervisors/dynamic-supervisor.ts';
import { lintTree } from '../../supervisors/lint-tree.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { asked, child, lint, plain, python, sup, unknown, warning } from './lint-trees.ts';

describe('a sensible tree', () => {
  it.each<[string, SupervisorFlags]>([
    ['nothing in it', {}],
    ['a few workers', { children: [child('a'), child('b', { start: asked })] }],
    [
      'supervisors below supervisors, with defaults',
      {
        children: [
          child('cache'),
          child('model', { start: python }),
          sup('inner', {
            strategy: 'rest_for_one',
            children: [child('a'), sup('leafs', { children: [child('b'), child('c')] })],
          }),
        ],
      },
    ],
    [
      'children that come and go',
      {
        children: [
          sup('simple', {
            strategy: 'simple_one_for_one',
            children: [child('t', { start: asked })],
          }),
          { id: 'dynamic', start: dynamicSupervisor() },
          child('other', { start: unknown, restart: 'transient' }),
        ],
      },
    ],
    [
      'a job that ends its supervisor',
      {
        children: [
          sup(
            'job',
            {
              autoShutdown: 'any_significant',
              children: [
                child('main', { restart: 'transient', significant: true }),
                child('helper'),
              ],
            },
            { restart: 'transient' },
          ),
        ],
      },
    ],
  ])('with %s is silent', (_what, flags) => {
    expect(lint(flags)).toEqual([]);
  });
});

describe('the product of restart intensities', () => {
  const chain = (...budgets: readonly number[]): SupervisorFlags => {
    const [maxRestarts = 0, ...below] = budgets;
    const inner = below.length === 0 ? child('leaf') : sup(`s${below.length}`, chain(...below));
    return { maxRestarts, periodMs: 7_000, children: [inner] };
  };

  it('is told with the crashes that it takes, and of whom', () => {
    expect(lint({ ...chain(3, 3, 4, 1), name: 'top' })).toEqual([
      warning(
        'restart_product',
        'top/s3/s2/s1/leaf',
        'only 160 crashes within about 7000 ms take top down ((1 + 1) × (4 + 1) × (3 + 1) × (3 + 1)), fewer or slower ones go on for ever: lower maxRestarts on the way; 0 where a supervisor shall only pass failures on',
      ),
    ]);
  });

  it.each([
    [[99], 0],
    [[100], 1],
    [[3, 3, 3], 0],
    [[9, 9], 0],
    [[9, 10], 1],
  ])('of maxRestarts %j gives %i findings', (budgets, count) => {
    expect(lint(chain(...budgets))).toHaveLength(count);
  });

  it('is that of the child that takes longest, the first of equals', () => {
    const children = [
      sup('low', { maxRestarts: 1, children: [child('x')] }),
      sup('high', { maxRestarts: 60, children: [child('y'), child('z')] }),
      child('w'),
    ];
    expect(lint({ maxRestarts: 1, children }).map(({ path }) => path)).toEqual(['root/high/y']);
  });

  it('counts no child that is never restarted', () => {
    expect(lint({ maxRestarts: 500, children: [child('t', { restart: 'temporary' })] })).toEqual(
      [],
    );
    expect(lint({ maxRestarts: 500, children: [] })).toEqual([]);
    expect(
      lint({ maxRestarts: 500, children: [child('t', { restart: 'transient' })] }),
    ).toHaveLength(1);
  });

  it('ends at a supervisor that is not permanent: what it passes on is no crash', () => {
    const flags = { maxRestarts: 30, children: [child('leaf')] };
    const given = { restart: 'temporary' } as const;
    expect(lint({ maxRestarts: 30, children: [sup('s', flags, given)] })).toEqual([]);
    const large = { maxRestarts: 100, children: [child('leaf')] };
    expect(lint({ children: [sup('s', large, given)] })).toMatchObject([
      { rule: 'restart_product', path: 'root/s/leaf' },
    ]);
    expect(lint({ children: [sup('s', large)] })).toHaveLength(1);
  });

  it('takes a supervisor that says nothing of itself for one child', () => {
    expect(lint({ maxRestarts: 100, children: [child('p', { start: unknown })] })).toMatchObject([
      { path: 'root/p', message: expect.stringContaining('only 101 crashes') as string },
    ]);
  });
});

describe('a transient supervisor', () => {
  const flags = { maxRestarts: 2, periodMs: 9_000, children: [child('a')] };
  const transient = { restart: 'transient' } as const;

  it('never comes back after it gave up', () => {
    expect(lint({ children: [sup('s', flags, transient)] })).toEqual([
      warning(
        'transient_supervisor',
        'root/s',
        'after 3 crashes within 9000 ms it ends with shutdown, after which a transient child is not started again: it stays down, and all below it; make it permanent, or significant if its end shall end root',
      ),
    ]);
    const dynamic = { id: 'd', start: dynamicSupervisor(), ...transient };
    expect(lint({ children: [dynamic] })).toMatchObject([
      { rule: 'transient_supervisor', path: 'root/d' },
    ]);
  });

  it('is meant so where its end ends the one above, where it is to end by itself, or where it cannot give up', () => {
    const significant = sup('s', flags, { ...transient, significant: true });
    expect(lint({ autoShutdown: 'any_significant', children: [significant] })).toEqual([]);
    const hopeless = { children: [child('t', { restart: 'temporary' })] };
    expect(lint({ children: [sup('s', hopeless, transient)] })).toEqual([]);
    expect(lint({ children: [sup('s', { children: [] }, transient)] })).toEqual([]);
    expect(lint({ children: [sup('s', flags, { restart: 'temporary' })] })).toEqual([]);
    expect(lint({ children: [sup('s', flags)] })).toEqual([]);
    expect(lint({ children: [child('u', { start: unknown, ...transient })] })).toEqual([]);
  });
});

describe('automatic shutdown', () => {
  const main = child('main', { restart: 'transient', significant: true });
  const flags: SupervisorFlags = { autoShutdown: 'any_significant', children: [main, child('b')] };

  it('of a permanent supervisor is a loop', () => {
    const outer = { maxRestarts: 4, periodMs: 8_000, children: [sup('s', flags)] };
    expect(lint(outer)).toEqual([
      warning(
        'auto_shutdown_restarted',
        'root/s',
        'when its significant children end it shuts down, and being permanent it is started again: 5 such ends within 8000 ms take root down; make it transient or temporary',
      ),
    ]);
    const open = sup('s', { autoShutdown: 'all_significant' });
    expect(lint({ children: [open] })).toMatchObject([{ rule: 'auto_shutdown_restarted' }]);
    for (const restart of ['transient', 'temporary'] as const)
      expect(lint({ children: [sup('s', flags, { restart })] })).toEqual([]);
  });

  it('never happens where all children are permanent', () => {
    const children = [child('a'), child('b'), child('c', { restart: 'transient' })];
    const message =
      'autoShutdown all_significant will not happen: 0 of its 3 children are significant (2 are permanent, which cannot be); mark transient or temporary ones, or leave it at never';
    expect(lint({ autoShutdown: 'all_significant', children })).toEqual([
      warning('auto_shutdown_idle', 'root', message),
    ]);
    expect(lint({ children: [sup('s', { autoShutdown: 'all_significant', children })] })).toEqual([
      warning('auto_shutdown_idle', 'root/s', message),
    ]);
  });

  it('is fine at the top, with children to come, and where there is none', () => {
    expect(lint(flags)).toEqual([]);
    expect(lint({ autoShutdown: 'any_significant' })).toEqual([]);
    expect(lint({ children: [child('a')] })).toEqual([]);
  });
});

describe('a machine that swallows the errors of its actors', () => {
  const busy = setup({ actors: { plain } });

  it('is told with the transition that takes them, and whose', () => {
    const one = busy.createMachine({ id: 'm', on: { '*': {} }, invoke: { src: 'plain', id: 'k' } });
    expect(lint({ children: [child('a', { start: one })] })).toEqual([
      warning(
        'swallowed_errors',
        'root/a',
        "'*' of state m takes the errors of 1 actor (k) like any event: they end, 0 restarts follow, and nobody hears; guard it so that it leaves xstate.error.* alone",
      ),
    ]);
    const two = busy.createMachine({
      ...{ id: 'm', initial: 's' },
      states: {
        s: {
          on: { 'xstate.error.*': {} },
          invoke: [
            { src: 'plain', id: 'k' },
            { src: 'plain', id: 'l' },
          ],
        },
      },
    });
    const below = lint({ children: [sup('s', { children: [child('a', { start: two })] })] });
    expect(below).toMatchObject([
      {
        path: 'root/s/a',
        message: expect.stringContaining(
          "'xstate.error.*' of state m.s takes the errors of 2 actors (k, l) like",
        ) as string,
      },
    ]);
  });
});

describe('at the start of a supervisor', () => {
  const flags = {
    children: [sup('s', { children: [child('a')] }, { restart: 'transient' })],
  };

  it('each finding is an event, before anything starts', async () => {
    const world = virtualSystem();
    const handle = await world.settled(startSupervisor(flags, world));
    expect(world.told('supervisor.linted')).toEqual(lintTree(flags));
    expect(world.told('supervisor.linted')).toHaveLength(1);
    expect(world.events[0]?.name).toBe('supervisor.linted');
    await world.settled(handle.stop());
  });

  it('nothing is told where that is not wanted', async () => {
    const world = virtualSystem();
    const handle = await world.settled(startSupervisor(flags, { ...world, lint: false }));
    expect(world.told('supervisor.linted')).toEqual([]);
    await world.settled(handle.stop());
  });
});
