// Does Elixir's DynamicSupervisor start as it does there? Cases 110 to 127: its options, and what `startChild` takes and gives.
import { fromCallback } from 'xstate';
import { describe, expect } from 'vitest';

import { childSpec } from '../../supervisors/child-spec-of.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import {
  checkDynamicFlags,
  dynamicSupervisor,
  startDynamicSupervisor,
} from '../../supervisors/dynamic-supervisor.ts';
import { handleOf } from '../../supervisors/handles.ts';
import { startRegistry } from '../../supervisors/messages.ts';
import type { StartChildError } from '../../supervisors/supervision-errors.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { plain, std } from './children.ts';
import { dynamicStage, gives, refOf } from './dynamic-stage.ts';
import { scenario } from './scenario.ts';
import { pop, Stack } from './stack.ts';

describe('a dynamic supervisor below another', () => {
  scenario(110, 'can be supervised directly', 'handleOf what whereis finds', async () => {
    const world = virtualSystem();
    const children = [childSpec([dynamicSupervisor, { name: 'dyn_sup_spec_test' }])];
    await world.settled(startSupervisor({ children }, world));
    const handle = handleOf(world.system.whereis('dyn_sup_spec_test'));
    expect(await world.settled(handle.whichChildren())).toEqual([]);
  });

  scenario(
    111,
    'multiple supervisors can be supervised and identified with simple child spec',
    'local and via names',
    async () => {
      const world = virtualSystem();
      const registry = startRegistry({ name: 'registry', keys: 'unique' }, world);
      const names = ['simple_name', 'other_name', registry.via('via_name')];
      const children = names.map((name) => childSpec([dynamicSupervisor, { name }]));
      const sup = await world.settled(startSupervisor({ children }, world));
      const unnamed = childSpec([dynamicSupervisor, { strategy: 'one_for_one' }]);
      const { child } = await world.settled(sup.startChild(unnamed));
      for (const ref of [...names.map((name) => world.system.whereis(name)), child]) {
        expect(await world.settled(handleOf(ref).whichChildren())).toEqual([]);
      }
      const again = world.settled(sup.startChild(unnamed));
      await expect(again).rejects.toMatchObject({ code: 'already_started', ref: child });
    },
  );

  scenario(112, 'use/2 generates child_spec/1', 'an object with childSpec', () => {
    const Simple = {
      childSpec: (input?: string): ChildSpec =>
        childSpec([dynamicSupervisor, { extraArguments: [input] }], { id: 'Simple' }),
    };
    expect(childSpec([Simple, 'hello'])).toMatchObject({ id: 'Simple', type: 'supervisor' });
    const overrides = { id: 'id', restart: 'temporary', shutdown: 'infinity', start: std } as const;
    const custom = childSpec([Simple, 'hello'], overrides);
    expect(custom).toEqual({ ...overrides, type: 'supervisor' });
  });
});

describe('the options', () => {
  scenario(113, 'set default options', 'no extra arguments are none, not an empty list', () => {
    expect(checkDynamicFlags({})).toMatchObject({
      ...{ strategy: 'one_for_one', maxRestarts: 3, periodMs: 5_000, autoShutdown: 'never' },
      ...{ maxChildren: Number.POSITIVE_INFINITY, extraArguments: undefined },
    });
  });

  scenario(114, 'start_link with non-ok init', '', async () => {
    const world = virtualSystem();
    const wrong = [
      [{ strategy: 'unknown' }, 'invalid_strategy'],
      [{ maxRestarts: -1 }, 'invalid_intensity'],
      [{ periodMs: 0 }, 'invalid_period'],
      [{ maxChildren: -1 }, 'invalid_max_children'],
      [{ extraArguments: -1 }, 'invalid_extra_arguments'],
      [{ autoShutdown: 'any_significant' }, 'invalid_auto_shutdown'],
    ] as const;
    for (const [options, problem] of wrong) {
      const value: unknown = Object.values(options)[0];
      const refused = startDynamicSupervisor(() => options as object, world);
      const error = { code: 'supervisor_data', problem, value };
      await expect(refused).rejects.toMatchObject(error);
    }
    const unknown = startDynamicSupervisor(() => 'unknown' as 'ignore', world);
    await expect(unknown).rejects.toMatchObject({ code: 'bad_return', value: 'unknown' });
    expect(await startDynamicSupervisor(() => 'ignore', world)).toBe('ignore');
    expect(world.events).toEqual([]);
  });

  scenario(115, 'start_link with registered process', '`exited` in place of a link', async () => {
    const world = virtualSystem();
    const registry = startRegistry({ name: 'registry', keys: 'unique' }, world);
    for (const name of ['registered', registry.via('registered')]) {
      const sup = await world.settled(startDynamicSupervisor({ name }, world));
      expect(world.system.whereis(name)).toBe(sup.ref);
      const stopped = handleOf(world.system.whereis(name)).stop();
      expect(await world.settled(stopped)).toEqual({ type: 'shutdown' });
      expect(await world.settled(sup.exited)).toEqual({ type: 'shutdown' });
      expect(world.system.whereis(name)).toBeUndefined();
    }
  });
});

describe('start_child', () => {
  scenario(121, 'supports new child spec as map', '', async () => {
    const { sup } = await dynamicStage();
    const spec = { id: 'task', restart: 'temporary', start: plain } as const;
    expect(refOf(await sup.startChild(spec)).exitReason).toBeUndefined();
  });

  scenario(122, 'supports new child spec as {module, arg}', 'by childSpec', async () => {
    const { sup, world } = await dynamicStage();
    const started = await sup.startChild(childSpec([Stack, { values: ['hello'] }]));
    expect(await world.settled(pop(refOf(started), world))).toBe('hello');
  });

  scenario(123, 'supports extra arguments', '', async () => {
    const inputs: unknown[] = [];
    const start = fromCallback(({ input }) => void inputs.push(input));
    const { sup } = await dynamicStage({ extraArguments: ['extra'] });
    await sup.startChild({ start, restart: 'temporary' });
    await sup.startChild({ start, restart: 'temporary', input: ['own'] });
    expect(inputs).toEqual([['extra'], ['extra', 'own']]);
  });

  scenario(124, 'with invalid child spec', 'invalid_mfa is invalid_start', async () => {
    const { sup } = await dynamicStage();
    await sup.stop();
    const wrong = [
      [[], 'invalid_child_spec', []],
      [{}, 'missing_start', undefined],
      [{ id: 'a', start: 2 }, 'invalid_start', 2],
      [{ id: 'a', start: std, shutdown: -1 }, 'invalid_shutdown', -1],
      [{ id: 'a', start: std, significant: true }, 'invalid_significant', true],
    ] as const;
    for (const [spec, problem, value] of wrong) {
      const refused = sup.startChild(spec as never);
      await expect(refused).rejects.toMatchObject({ code: 'bad_child_spec', problem, value });
    }
  });

  scenario(125, 'with different returns', 'an error is thrown', async () => {
    const { sup } = await dynamicStage();
    expect(await sup.startChild({ start: gives('extra') })).toMatchObject({ info: 'extra' });
    expect(await sup.startChild({ start: gives('ok') })).toMatchObject({ info: undefined });
    expect(await sup.startChild({ start: gives('ignore') })).toBe('ignore');
    const failures = [
      ['error', { message: 'found' }],
      ['unknown', { name: 'TypeError' }],
    ] as const;
    for (const [value, error] of failures) {
      await expect(sup.startChild({ start: gives(value) })).rejects.toMatchObject({
        code: 'failed_to_start_child',
        reason: { type: 'error', error },
      });
    }
    expect(await sup.countChildren()).toMatchObject({ specs: 2, active: 2, workers: 2 });
  });

  scenario(126, 'with throw/error/exit', 'one shape: what was thrown, with its stack', async () => {
    const { sup } = await dynamicStage();
    const oops = new Error('oops');
    const start = (): never => {
      throw oops;
    };
    const late = (): Promise<never> => Promise.reject(oops);
    for (const failing of [start, late]) {
      const refused = sup.startChild({ start: failing });
      await expect(refused).rejects.toMatchObject({ reason: { type: 'error', error: oops } });
    }
    const bare = sup.startChild({ start: fromCallback(() => raise('oops')) });
    const { reason } = await failureOf(bare);
    if (reason.type !== 'error') throw new Error('it was an error');
    expect(reason.error.message).toBe('oops');
    expect(reason.error.cause).toBe('oops');
  });

  scenario(127, 'with max_children', '', async () => {
    const { sup } = await dynamicStage({ maxChildren: 0 });
    await expect(sup.startChild({ start: std })).rejects.toMatchObject({ code: 'max_children' });
  });
});

async function failureOf(promise: Promise<unknown>): Promise<StartChildError> {
  try {
    await promise;
  } catch (error) {
    return error as StartChildError;
  }
  throw new Error('it did not fail');
}

function raise(thrown: unknown): never {
  throw thrown;
}
