// Does the end of a significant child end its supervisor? Cases 58 to 64 of supervisor_SUITE.
import { describe, expect } from 'vitest';

import { supervisor } from '../../supervisors/start-supervisor.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { scenario } from './scenario.ts';
import { child, stage, type Ending } from './stage.ts';

const SHUTDOWN = { type: 'shutdown' };
const ENDINGS: readonly Ending[] = ['kill', 'abnormal', 'normal'];
const TEMPORARY = { restart: 'temporary', significant: true } as const;
const TRANSIENT = { restart: 'transient', significant: true } as const;

describe('children that are not significant', () => {
  scenario(58, 'nonsignificant_temporary', '', async () => {
    for (const autoShutdown of ['never', 'any_significant', 'all_significant'] as const) {
      const play = await stage({ autoShutdown });
      const spec = child('child1', { restart: 'temporary' });
      await play.start(spec);
      await play.ask(play.sup.terminateChild('child1'));
      for (const ending of ENDINGS) {
        await play.end(await play.start(spec), ending);
        expect(play.exit).toBeUndefined();
        expect(await play.which()).toEqual([]);
      }
      expect(await play.ask(play.sup.stop())).toEqual(SHUTDOWN);
    }
  });

  scenario(59, 'nonsignificant_transient', '', async () => {
    for (const autoShutdown of ['never', 'any_significant', 'all_significant'] as const) {
      const play = await stage({ autoShutdown });
      await play.start(child('child1', { restart: 'transient' }));
      await play.ask(play.sup.terminateChild('child1'));
      expect(await play.which()).toEqual([['child1', undefined]]);
      await play.ask(play.sup.restartChild('child1'));
      for (const ending of ['kill', 'abnormal'] as const) {
        const before = await play.ref('child1');
        await play.end(before, ending);
        expect(await play.ref('child1')).not.toBe(before);
      }
      await play.end(await play.ref('child1'), 'normal');
      expect(await play.which()).toEqual([['child1', undefined]]);
      expect(play.exit).toBeUndefined();
      expect(await play.ask(play.sup.stop())).toEqual(SHUTDOWN);
    }
  });
});

describe('significant children', () => {
  scenario(60, 'significant_temporary', '', async () => {
    for (const ending of ENDINGS) {
      const play = await stage({ autoShutdown: 'any_significant' });
      const spec = child('child1', TEMPORARY);
      const bystander = await play.start(child('bystander', { restart: 'temporary' }));
      await play.start(spec);
      await play.ask(play.sup.terminateChild('child1'));
      expect(play.exit).toBeUndefined();
      await play.end(await play.start(spec), ending);
      expect(play.exit).toEqual(SHUTDOWN);
      expect(bystander.exitReason).toEqual(SHUTDOWN);
    }
    for (const ending of ENDINGS) {
      const play = await stage({ autoShutdown: 'all_significant' });
      const bystander = await play.start(child('bystander', { restart: 'temporary' }));
      const spec = child('child1', TEMPORARY);
      await play.start(spec);
      await play.ask(play.sup.terminateChild('child1'));
      expect(play.exit).toBeUndefined();
      const [first, second] = await play.starts(spec, child('child2', TEMPORARY));
      await play.end(first!, ending);
      expect(play.exit).toBeUndefined();
      expect(await play.counts()).toEqual([2, 2, 0, 2]);
      await play.end(second!, ending);
      expect(play.exit).toEqual(SHUTDOWN);
      expect(bystander.exitReason).toEqual(SHUTDOWN);
    }
  });

  scenario(61, 'significant_transient', '', async () => {
    const any = await stage({ autoShutdown: 'any_significant' });
    const besideAny = await any.start(child('bystander', { restart: 'transient' }));
    await any.start(child('child1', TRANSIENT));
    await any.ask(any.sup.terminateChild('child1'));
    expect(any.exit).toBeUndefined();
    await any.ask(any.sup.restartChild('child1'));
    for (const ending of ['kill', 'abnormal'] as const) {
      await any.end(await any.ref('child1'), ending);
      expect(any.exit).toBeUndefined();
    }
    await any.end(await any.ref('child1'), 'normal');
    expect(any.exit).toEqual(SHUTDOWN);
    expect(besideAny.exitReason).toEqual(SHUTDOWN);

    const all = await stage({ autoShutdown: 'all_significant' });
    const besideAll = await all.start(child('bystander', { restart: 'transient' }));
    const [first] = await all.starts(child('child1', TRANSIENT), child('child2', TRANSIENT));
    await all.end(first!, 'normal');
    expect(all.exit).toBeUndefined();
    for (const ending of ['kill', 'abnormal'] as const) {
      await all.end(await all.ref('child2'), ending);
      expect(all.exit).toBeUndefined();
    }
    await all.end(await all.ref('child2'), 'normal');
    expect(all.exit).toEqual(SHUTDOWN);
    expect(besideAll.exitReason).toEqual(SHUTDOWN);
  });

  scenario(62, 'significant_simple', '', async () => {
    const flags = (autoShutdown: SupervisorFlags['autoShutdown']): SupervisorFlags => ({
      strategy: 'simple_one_for_one',
      ...(autoShutdown === undefined ? {} : { autoShutdown }),
      children: [child('template', TEMPORARY)],
    });
    const any = await stage(flags('any_significant'));
    const [one, other] = [await any.start(), await any.start()];
    await any.end(one, 'normal');
    expect(any.exit).toEqual(SHUTDOWN);
    expect(other.exitReason).toEqual(SHUTDOWN);

    const all = await stage(flags('all_significant'));
    const [first, second, third] = [await all.start(), await all.start(), await all.start()];
    await all.end(first, 'normal');
    await all.end(second, 'kill');
    expect(all.exit).toBeUndefined();
    await all.end(third, 'normal');
    expect(all.exit).toEqual(SHUTDOWN);
  });

  scenario(63, 'significant_bystander', '', async () => {
    const kept = {
      one_for_one: ['child1', 'child2', 'child3'],
      one_for_all: ['child2'],
      rest_for_one: ['child1', 'child2'],
    } as const;
    for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
      for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
        const play = await stage({ strategy, autoShutdown });
        const before = await play.starts(
          child('child1', TEMPORARY),
          child('child2'),
          child('child3', TEMPORARY),
        );
        await play.end(before[1]!, 'kill');
        expect(play.exit).toBeUndefined();
        const after = new Map(await play.which());
        expect([...after.keys()].reverse()).toEqual(kept[strategy]);
        expect(after.get('child2')).not.toBe(before[1]);
        for (const bystander of [before[0]!, before[2]!]) {
          expect(bystander.exitReason).toEqual(after.has(bystander.id) ? undefined : SHUTDOWN);
        }
        expect(await play.ask(play.sup.stop())).toEqual(SHUTDOWN);
      }
    }
  });

  scenario(64, 'significant_escalation', '', async () => {
    for (const significant of [true, false]) {
      const inner: SupervisorFlags = {
        autoShutdown: 'any_significant',
        children: [child('worker', TEMPORARY)],
      };
      const play = await stage({ autoShutdown: 'any_significant' });
      const spec = { id: 'inner', start: supervisor(inner), restart: 'temporary', significant };
      const below = await play.start(spec);
      const worker = await play.below('inner', inner).ref('worker');
      await play.end(worker, 'normal');
      expect(below.exitReason).toEqual(SHUTDOWN);
      expect(play.exit).toEqual(significant ? SHUTDOWN : undefined);
      await play.ask(play.sup.stop());
    }
  });
});
