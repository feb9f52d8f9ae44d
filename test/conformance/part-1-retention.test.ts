// What does a supervisor keep of its children's specifications? Cases 51, 76 and 77 of supervisor_SUITE.
import { describe, expect, vi } from 'vitest';

import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { StartFunction } from '../../actors/lifecycle/start-function.ts';
import type { RestartType } from '../../supervisors/child-spec.ts';
import type { Strategy } from '../../supervisors/supervisor-flags.ts';
import { heldOf } from '../support/collector.ts';
import { std } from './children.ts';
import { scenario } from './scenario.ts';
import { child, END, stage, type Ending, type Stage } from './stage.ts';

/** On a machine that is busy with other tests. */
vi.setConfig({ testTimeout: 120_000 });

/** An argument that nobody wants to keep. The child itself does not: only its supervisor could. */
interface Large {
  readonly numbers: readonly number[];
}

function large(): Large {
  return { numbers: Array.from({ length: 1_000 }, (_, index) => index) };
}

const takesLarge: StartFunction = (given: Large) => ({ logic: std, info: given.numbers.length });

const STATIC = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
const RESTARTS = ['permanent', 'transient', 'temporary'] as const;

/** Start so many children with a large argument each. @returns the arguments, weakly. */
async function startMany(
  play: Stage,
  many: number,
  restart: RestartType,
  isSimple: boolean,
): Promise<readonly WeakRef<Large>[]> {
  const given: WeakRef<Large>[] = [];
  const started: Promise<unknown>[] = [];
  for (let index = 0; index < many; index += 1) {
    const input = large();
    given.push(new WeakRef(input));
    const spec = child(`child${index}`, { start: takesLarge, restart, input });
    started.push(play.sup.startChild(isSimple ? input : spec));
  }
  await play.ask(Promise.all(started));
  return given;
}

async function keptInputs(play: Stage): Promise<readonly unknown[]> {
  const entries = await play.ask(play.sup.whichChildren());
  const names = entries.map((entry) => entry.id ?? (entry.child as ActorRef));
  const specs = await play.ask(Promise.all(names.map((name) => play.sup.getChildSpec(name))));
  return specs.map(({ input }) => input).filter((input) => input !== undefined);
}

function simple(restart: RestartType): Parameters<typeof stage>[0] {
  return {
    strategy: 'simple_one_for_one',
    children: [child('template', { start: takesLarge, restart })],
  };
}

describe('arguments', () => {
  scenario(
    51,
    'simple_one_for_one_corruption',
    'the garbage collector tells whether the argument is held',
    async () => {
      const play = await stage(simple('temporary'));
      const first = await play.start(large());
      await play.end(first, 'abnormal');
      const given = await startMany(play, 1, 'temporary', true);
      expect(await play.counts()).toEqual([1, 1, 0, 1]);
      expect(await keptInputs(play)).toEqual([]);
      expect(await heldOf(given)).toBe(0);
    },
  );

  scenario(
    76,
    'do_not_save_start_parameters_for_temporary_children',
    'the garbage collector counts the arguments that are held',
    async () => {
      const MANY = 100;
      for (const strategy of [...STATIC, 'simple_one_for_one'] as const satisfies Strategy[]) {
        const isSimple = strategy === 'simple_one_for_one';
        const held = new Map<RestartType, number>();
        for (const restart of RESTARTS) {
          const play = await stage(isSimple ? simple(restart) : { strategy });
          const given = await startMany(play, MANY, restart, isSimple);
          expect(await keptInputs(play)).toHaveLength(restart === 'temporary' ? 0 : MANY);
          held.set(restart, await heldOf(given, restart === 'temporary' ? 0 : MANY));
          expect(await play.counts()).toMatchObject({ 1: MANY });
        }
        expect(Object.fromEntries(held)).toEqual({
          permanent: MANY,
          transient: MANY,
          temporary: 0,
        });
      }
    },
  );
});

describe('specifications', () => {
  scenario(77, 'do_not_save_child_specs_for_temporary_children', '', async () => {
    const afterwards = {
      permanent: { kill: 'restarted', normal: 'restarted', abnormal: 'restarted', api: 'kept' },
      transient: { kill: 'restarted', normal: 'kept', abnormal: 'restarted', api: 'kept' },
      temporary: { kill: 'gone', normal: 'gone', abnormal: 'gone', api: 'gone' },
    } as const;
    for (const strategy of STATIC) {
      for (const restart of RESTARTS) {
        for (const how of [...(Object.keys(END) as Ending[]), 'api'] as const) {
          const play = await stage({ strategy });
          const spec = child('child1', { restart });
          const before = await play.start(spec);
          if (how === 'api') await play.ask(play.sup.terminateChild('child1'));
          else await play.end(before, how);
          await startsAgain(play, spec, before, afterwards[restart][how]);
          await play.ask(play.sup.stop());
        }
      }
    }
  });
});

async function startsAgain(
  play: Stage,
  spec: ReturnType<typeof child>,
  before: ActorRef,
  afterwards: 'restarted' | 'kept' | 'gone',
): Promise<void> {
  switch (afterwards) {
    case 'restarted': {
      const ref = await play.ref('child1');
      expect(ref).not.toBe(before);
      const refusal = { code: 'already_started', ref };
      await expect(play.start(spec)).rejects.toMatchObject(refusal);
      return;
    }
    case 'kept': {
      await expect(play.start(spec)).rejects.toMatchObject({ code: 'already_present' });
      const { child: again } = await play.ask(play.sup.restartChild('child1'));
      expect(await play.which()).toEqual([['child1', again]]);
      return;
    }
    case 'gone': {
      expect(await play.which()).toEqual([]);
      const again = await play.start(spec);
      expect(await play.which()).toEqual([['child1', again]]);
      return;
    }
    default:
      return afterwards satisfies never;
  }
}
