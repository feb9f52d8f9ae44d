// Are specifications and flags refused as OTP refuses them? Cases 26 to 28 of supervisor_SUITE.
import { describe, expect } from 'vitest';

import { checkChildSpecs } from '../../supervisors/check-spec.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { BadChildSpecError } from '../../supervisors/supervision-errors.ts';
import type { AutoShutdown, SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { std } from './children.ts';
import { scenario } from './scenario.ts';
import { failure } from './supervised.ts';

const CHILD = { id: 'child', start: std };
const BAD = [
  [{ ...CHILD, start: 'start' }, 'invalid_start'],
  [{ ...CHILD, restart: 'prmanent' }, 'invalid_restart_type'],
  [{ ...CHILD, shutdown: -10 }, 'invalid_shutdown'],
  [{ ...CHILD, type: 'wrker' }, 'invalid_child_type'],
] as const;

/** What is wrong with these, or `ok`. */
function verdictOn(specs: unknown, autoShutdown?: AutoShutdown): string {
  try {
    checkChildSpecs(specs as readonly ChildSpec[], autoShutdown);
    return 'ok';
  } catch (error) {
    if (!(error instanceof BadChildSpecError)) throw error;
    return error.problem === 'bad_combination' ? error.message : error.problem;
  }
}

/** Start with these; nothing may have been started when it fails. */
async function startFails(flags: unknown): Promise<Error> {
  const world = virtualSystem();
  const error = await failure(world.settled(startSupervisor(flags as SupervisorFlags, world)));
  expect(world.events).toEqual([]);
  return error;
}

/** Every combination of one value for each key; `undefined` stands for a key that is left out. */
function* combinations(values: Readonly<Record<string, readonly unknown[]>>) {
  let made: Record<string, unknown>[] = [{}];
  for (const [key, choices] of Object.entries(values)) {
    made = made.flatMap((before) =>
      choices.map((choice) => (choice === undefined ? before : { ...before, [key]: choice })),
    );
  }
  yield* made;
}

describe('checks', () => {
  scenario(26, 'child_specs', 'objects, and no `modules`', async () => {
    for (const [spec, problem] of BAD) {
      expect(verdictOn([spec])).toBe(problem);
      const wrong = await startFails({ children: [spec] });
      expect(wrong).toMatchObject({ code: 'bad_child_spec', problem, field: /^children\[0\]/u });
    }
    expect(verdictOn({ not: 'a list' })).toBe('invalid_child_spec');
    const good = [
      { id: 'child1', start: std, restart: 'permanent', shutdown: 1_000, type: 'worker' },
      { id: 'child2', start: std, restart: 'transient', shutdown: 'infinity', type: 'supervisor' },
      { id: 'child3', start: std, restart: 'temporary', shutdown: 'brutal_kill', type: 'worker' },
      { id: 'child4', start: () => ({ logic: std }), shutdown: 0 },
      { id: 'child5', start: std, input: { any: 'thing' } },
    ];
    expect(verdictOn(good)).toBe('ok');
    expect(verdictOn([...good, good[0]])).toBe('duplicate_child_name');
    const twice = await startFails({ children: [CHILD, CHILD] });
    expect(twice).toMatchObject({ code: 'bad_child_spec', problem: 'duplicate_child_name' });
    for (const children of [[], good.slice(0, 2)]) {
      const wrong = await startFails({ strategy: 'simple_one_for_one', children });
      expect(wrong).toMatchObject({ code: 'bad_child_spec', problem: 'bad_start_spec' });
    }
  });

  scenario(
    27,
    'child_specs_map',
    'no `modules`; an unknown key is refused, after everything else',
    async () => {
      for (const [spec, problem] of BAD) expect(verdictOn([spec])).toBe(problem);
      expect(verdictOn([{ start: std }])).toBe('missing_id');
      expect(verdictOn([{ id: 'child' }])).toBe('missing_start');
      expect(verdictOn([{ ...CHILD, significant: 'yes' }])).toBe('invalid_significant');
      let count = 0;
      for (const { autoShutdown, ...given } of combinations({
        autoShutdown: ['never', 'any_significant', 'all_significant'],
        restart: [undefined, 'permanent', 'transient', 'temporary'],
        shutdown: [undefined, 0, 1_000, 'infinity', 'brutal_kill'],
        type: [undefined, 'worker', 'supervisor'],
        significant: [undefined, false, true],
        silly: [undefined, true],
      })) {
        count += 1;
        const verdict = verdictOn([{ ...CHILD, ...given }], autoShutdown as AutoShutdown);
        const isPermanent = given['restart'] === undefined || given['restart'] === 'permanent';
        if (given['significant'] === true && autoShutdown === 'never') {
          expect(verdict).toMatch(/bad combination: a supervisor with autoShutdown never/u);
        } else if (given['significant'] === true && isPermanent) {
          expect(verdict).toMatch(/bad combination: a permanent child cannot be significant/u);
        } else {
          expect(verdict).toBe(given['silly'] === undefined ? 'ok' : 'unknown_key');
        }
      }
      expect(count).toBe(3 * 4 * 5 * 3 * 3 * 2);
      const significant = { ...CHILD, restart: 'temporary', significant: true };
      const wrong = await startFails({ autoShutdown: 'never', children: [significant] });
      expect(wrong).toMatchObject({ code: 'bad_child_spec', problem: 'bad_combination' });
    },
  );

  scenario(28, 'sup_flags', 'an unknown flag is refused', async () => {
    const wrong = [
      [{ strategy: 'none_for_one' }, 'invalid_strategy'],
      [{ maxRestarts: Number.POSITIVE_INFINITY }, 'invalid_intensity'],
      [{ maxRestarts: 'infinity' }, 'invalid_intensity'],
      [{ periodMs: 0 }, 'invalid_period'],
      [{ periodMs: Number.POSITIVE_INFINITY }, 'invalid_period'],
      [{ periodMs: 'infinity' }, 'invalid_period'],
      [{ autoShutdown: 'sometimes' }, 'invalid_auto_shutdown'],
      [['one_for_one', 2], 'invalid_type'],
      [{ silly: true }, 'unknown_key'],
    ] as const;
    for (const [flags, problem] of wrong) {
      expect(await startFails(flags)).toMatchObject({ code: 'supervisor_data', problem });
      expect(await startFails(() => flags)).toMatchObject({ code: 'supervisor_data', problem });
    }
  });
});
