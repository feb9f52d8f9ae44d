// Are specifications filled in and checked as OTP does it at a start? Cases 13 to 15 of supervisor_SUITE.
import { describe, expect } from 'vitest';

import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { std } from './children.ts';
import { scenario } from './scenario.ts';
import { failure, refusal, supervise } from './supervised.ts';

/** What is filled in beyond OTP's keys. */
const OURS = {
  input: undefined,
  ack: 'ready',
  startTimeoutMs: 60_000,
  maxConsecutiveStartFailures: Number.POSITIVE_INFINITY,
} as const;
const DEFAULTS = { ...OURS, restart: 'permanent', significant: false } as const;

describe('specifications at the start', () => {
  scenario(13, 'sup_start_map', 'without `modules`', async () => {
    const children = [
      { id: 'child1', start: std },
      { id: 'child2', start: std, shutdown: 'brutal_kill' },
      { id: 'child3', start: std, type: 'supervisor' },
    ] as const;
    const held = await supervise({ children });
    const [first, second, third] = children;
    const specOf = (id: string) => held.ask(held.sup.getChildSpec(id));
    const expected = [
      { ...DEFAULTS, ...first, shutdown: 5_000, type: 'worker' },
      { ...DEFAULTS, ...second, type: 'worker' },
      { ...DEFAULTS, ...third, shutdown: 'infinity' },
    ];
    expect(await specOf('child1')).toEqual(expected[0]);
    expect(await specOf('child2')).toEqual(expected[1]);
    expect(await specOf('child3')).toEqual(expected[2]);
    expect(await refusal(specOf('child4'))).toBe('not_found');
    await held.stop();
  });

  scenario(14, 'sup_start_map_simple', 'without `modules`', async () => {
    const template = { id: 'child1', start: std, restart: 'temporary' } as const;
    const children = [template];
    const held = await supervise({ strategy: 'simple_one_for_one', children });
    const stranger = (await supervise({ children })).child('child1');
    for (let count = 0; count < 3; count += 1) {
      const child = await held.start();
      const full = { ...DEFAULTS, ...template, shutdown: 5_000, type: 'worker' };
      expect(await held.ask(held.sup.getChildSpec(child))).toEqual(full);
    }
    const asked = held.ask(held.sup.getChildSpec(await stranger));
    expect(await refusal(asked)).toBe('not_found');
    await held.stop();
  });

  scenario(15, 'sup_start_map_faulty_specs', 'an unknown key is refused', async () => {
    const faulty = [
      [{ start: std }, 'missing_id'],
      [{ id: 'child1' }, 'missing_start'],
      [{ id: 'child1', start: std, silly: true }, 'unknown_key'],
      ['child1', 'invalid_child_spec'],
    ] as const;
    for (const [spec, problem] of faulty) {
      const world = virtualSystem();
      const flags = { children: [{ id: 'child0', start: std }, spec as never] };
      const wrong = await failure(world.settled(startSupervisor(flags, world)));
      expect(wrong).toMatchObject({ code: 'bad_child_spec', problem });
      expect(world.events).toEqual([]);
    }
  });
});
