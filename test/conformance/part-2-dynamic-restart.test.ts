// Does Elixir's DynamicSupervisor restart as it does there? Cases 128 to 139: restart types, starts that fail, and the limit.
import { describe, expect } from 'vitest';

import type { StartFunction } from '../../actors/lifecycle/start-function.ts';
import { failAgain, std } from './children.ts';
import {
  dynamicStage,
  end,
  MANY,
  refOf,
  restartsAs,
  SHUTDOWN,
  SIGNAL,
  WHATEVER,
} from './dynamic-stage.ts';
import { scenario } from './scenario.ts';

describe('a child that ends', () => {
  scenario(128, 'temporary child is not restarted regardless of reason', '', async () => {
    const stage = await dynamicStage();
    for (const reason of [SHUTDOWN, WHATEVER]) {
      end(await stage.start({ start: std, restart: 'temporary' }), reason);
      expect(await stage.counts()).toEqual({ workers: 0, active: 0 });
    }
  });

  scenario(
    129,
    'transient child is restarted unless normal/shutdown/{shutdown, _}',
    '',
    async () => {
      const stage = await dynamicStage();
      const spec = { start: std, restart: 'transient' } as const;
      for (const reason of [{ type: 'normal' } as const, SHUTDOWN, SIGNAL]) {
        end(await stage.start(spec), reason);
        expect(await stage.counts()).toEqual({ workers: 0, active: 0 });
      }
      end(await stage.start(spec), WHATEVER);
      expect(await stage.counts()).toEqual({ workers: 1, active: 1 });
    },
  );

  scenario(130, 'permanent child is restarted regardless of reason', '', async () => {
    const stage = await dynamicStage(MANY);
    for (const [index, reason] of [SHUTDOWN, SIGNAL, WHATEVER].entries()) {
      end(await stage.start({ start: std }), reason);
      expect(await stage.counts()).toEqual({ workers: index + 1, active: index + 1 });
    }
  });

  scenario(131, 'child is restarted with different values', '', async () => {
    const stage = await dynamicStage(MANY);
    const steps = [
      ['ok', { workers: 1, active: 1 }],
      ['extra', { workers: 2, active: 2 }],
      ['ignore', { workers: 2, active: 2 }],
      ['error', { workers: 3, active: 2 }],
      ['unknown', { workers: 4, active: 2 }],
    ] as const;
    for (const [value, counts] of steps) {
      const child = await stage.start({ start: restartsAs(value) });
      const [newest] = await stage.sup.whichChildren();
      expect(newest).toEqual({ id: undefined, child, type: 'worker' });
      end(child, SHUTDOWN);
      expect(await stage.counts()).toEqual(counts);
    }
    const entries = await stage.sup.whichChildren();
    expect(entries.map(({ child }) => child).slice(0, 2)).toEqual(['restarting', 'restarting']);
  });
});

describe('maxChildren', () => {
  scenario(132, 'restarting on init children counted in max_children', '', async () => {
    const stage = await dynamicStage({ ...MANY, maxChildren: 1 });
    end(await stage.start({ start: restartsAs('error') }), SHUTDOWN);
    expect(await stage.counts()).toEqual({ workers: 1, active: 0 });
    const more = stage.sup.startChild({ start: std });
    await expect(more).rejects.toMatchObject({ code: 'max_children' });
  });

  scenario(133, 'restarting on exit children counted in max_children', '', async () => {
    const stage = await dynamicStage({ ...MANY, maxChildren: 1 });
    end(await stage.start({ start: std }), SHUTDOWN);
    expect(await stage.counts()).toEqual({ workers: 1, active: 1 });
    const more = stage.sup.startChild({ start: std });
    await expect(more).rejects.toMatchObject({ code: 'max_children' });
  });
});

describe('a restart', () => {
  scenario(
    134,
    'restarting a child with extra_arguments successfully restarts child',
    '',
    async () => {
      const inputs: unknown[] = [];
      const start: StartFunction = (input) => {
        inputs.push(input);
        return { logic: std };
      };
      const stage = await dynamicStage({ extraArguments: { shared: 1 } });
      const child = await stage.start({ start, restart: 'transient', input: { own: 2 } });
      expect(await stage.counts()).toEqual({ workers: 1, active: 1 });
      end(child, WHATEVER);
      expect(await stage.counts()).toEqual({ workers: 1, active: 1 });
      const input = { shared: 1, own: 2 };
      expect(inputs).toEqual([input, input]);
    },
  );

  scenario(135, 'child is restarted when trying again', '', async () => {
    const tries: boolean[] = [];
    const start: StartFunction = () => {
      const isGood = tries.length !== 1;
      tries.push(isGood);
      if (!isGood) throw new Error('try again');
      return { logic: std };
    };
    const stage = await dynamicStage({ maxRestarts: 2 });
    end(await stage.start({ start }), SHUTDOWN);
    await stage.world.settle();
    expect(tries).toEqual([true, false, true]);
    expect(await stage.counts()).toEqual({ workers: 1, active: 1 });
  });

  scenario(136, 'child triggers maximum restarts', '', async () => {
    const stage = await dynamicStage({ maxRestarts: 1 });
    const start = failAgain();
    end(await stage.start({ start }), SHUTDOWN);
    await stage.world.settle();
    expect(await stage.sup.exited).toEqual(SHUTDOWN);
    expect(stage.world.told('supervisor.decided').at(-1)).toMatchObject({
      ...{ verdict: 'give_up', restartsInWindow: 1 },
    });
  });

  scenario(137, 'child triggers maximum intensity when trying again', '', async () => {
    const stage = await dynamicStage({ maxRestarts: 10 });
    const start = failAgain();
    end(await stage.start({ start }), SHUTDOWN);
    await stage.world.settle();
    expect(await stage.sup.exited).toEqual(SHUTDOWN);
    expect(stage.world.told('supervisor.decided').at(-1)).toMatchObject({
      ...{ verdict: 'give_up', restartsInWindow: 10 },
    });
  });
});

describe('a shutdown time', () => {
  scenario(138, 'with valid shutdown', '', async () => {
    const stage = await dynamicStage();
    for (const shutdown of [0, 1]) {
      const child = refOf(await stage.sup.startChild({ start: std, shutdown }));
      end(child, SHUTDOWN);
      expect(child.exitReason).toEqual(SHUTDOWN);
    }
  });

  scenario(139, 'with invalid shutdown', '', async () => {
    const { sup } = await dynamicStage();
    await sup.stop();
    const refused = sup.startChild({ start: std, shutdown: -1 });
    const error = { code: 'bad_child_spec', problem: 'invalid_shutdown', value: -1 };
    await expect(refused).rejects.toMatchObject(error);
  });
});
