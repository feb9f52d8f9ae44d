// Does a loop of restarts that fail leave room for everything else? Cases 80 to 82 of supervisor_SUITE.
import { describe, expect } from 'vitest';

import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { gatedSlowly, type Gate } from './children.ts';
import { scenario } from './scenario.ts';
import { child, countsOf, stage, whichOf, type Stage } from './stage.ts';

const SHUTDOWN = { type: 'shutdown' };
/** Five tries in a period of ten seconds, of eight that are allowed: the loop never ends by itself. */
const TRY_MS = 2_000;
const ENDLESS: SupervisorFlags = { maxRestarts: 8, periodMs: 10_000 };

async function gatedStage(flags: SupervisorFlags): Promise<{
  play: Stage;
  gate: Gate;
  spec: ReturnType<typeof child>;
}> {
  const world = virtualSystem();
  const gate: Gate = { starts: 'pass' };
  const start = gatedSlowly(gate, world.clock, TRY_MS);
  const spec = child('gated', { start, shutdown: 'brutal_kill' });
  const isSimple = flags.strategy === 'simple_one_for_one';
  const children = isSimple ? { children: [spec] } : {};
  return { play: await stage({ ...ENDLESS, ...flags, ...children }, world), gate, spec };
}

/** Crash it when it cannot start again, and let some tries go by. */
async function crashForGood(play: Stage, gate: Gate, ref: ActorRef): Promise<void> {
  gate.starts = 'fail';
  await play.end(ref, 'abnormal');
  await play.world.advance(20 * TRY_MS);
  expect(play.exit).toBeUndefined();
}

/** The supervisor can be stopped at once, whatever it is waiting for. */
async function stopsPromptly(play: Stage): Promise<void> {
  const fromMs = play.world.clock.nowMs();
  expect(await play.ask(play.sup.stop())).toEqual(SHUTDOWN);
  expect(play.world.clock.nowMs()).toBe(fromMs);
}

describe('a loop of failed restarts', () => {
  scenario(80, 'hanging_restart_loop', '', async () => {
    const { play, gate, spec } = await gatedStage({ strategy: 'one_for_one' });
    const { sup } = play;
    await crashForGood(play, gate, await play.start(spec));
    await expect(play.soon(sup.startChild(spec))).rejects.toMatchObject({
      code: 'already_present',
    });
    await expect(play.soon(sup.restartChild('gated'))).rejects.toMatchObject({
      code: 'restarting',
    });
    await expect(play.soon(sup.deleteChild('gated'))).rejects.toMatchObject({ code: 'restarting' });
    expect(whichOf(await play.soon(sup.whichChildren()))).toEqual([['gated', 'restarting']]);
    expect(countsOf(await play.soon(sup.countChildren()))).toEqual([1, 0, 0, 1]);
    await play.ask(sup.terminateChild('gated'));
    expect(await play.which()).toEqual([['gated', undefined]]);
    await play.world.advance(20 * TRY_MS);
    expect(await play.which()).toEqual([['gated', undefined]]);
    gate.starts = 'pass';
    const again = await play.ask(sup.restartChild('gated'));
    expect(await play.which()).toEqual([['gated', again.child]]);
    await crashForGood(play, gate, again.child!);
    await stopsPromptly(play);
  });

  scenario(81, 'hanging_restart_loop_rest_for_one', '', async () => {
    const { play, gate, spec } = await gatedStage({ strategy: 'rest_for_one' });
    const { sup } = play;
    const [first, second] = await play.starts(child('child1'), spec, child('child3'));
    expect(await play.counts()).toEqual([3, 3, 0, 3]);
    await crashForGood(play, gate, second!);
    expect(whichOf(await play.soon(sup.whichChildren()))).toEqual([
      ['child3', undefined],
      ['gated', 'restarting'],
      ['child1', first],
    ]);
    expect(countsOf(await play.soon(sup.countChildren()))).toEqual([3, 1, 0, 3]);
    await play.ask(sup.terminateChild('gated'));
    expect(await play.which()).toEqual([
      ['child3', undefined],
      ['gated', undefined],
      ['child1', first],
    ]);
    gate.starts = 'pass';
    const again = await play.ask(sup.restartChild('gated'));
    expect(await play.which()).toEqual([
      ['child3', undefined],
      ['gated', again.child],
      ['child1', first],
    ]);
    await crashForGood(play, gate, again.child!);
    await stopsPromptly(play);
    expect(first!.exitReason).toEqual(SHUTDOWN);
  });

  scenario(82, 'hanging_restart_loop_simple', '', async () => {
    const { play, gate } = await gatedStage({ strategy: 'simple_one_for_one' });
    const { sup } = play;
    const ref = await play.start();
    await crashForGood(play, gate, ref);
    expect(whichOf(await play.soon(sup.whichChildren()))).toEqual([[undefined, 'restarting']]);
    expect(countsOf(await play.soon(sup.countChildren()))).toEqual([1, 0, 0, 1]);
    const refusal = { code: 'simple_one_for_one' };
    await expect(play.soon(sup.restartChild('gated'))).rejects.toMatchObject(refusal);
    await expect(play.soon(sup.deleteChild('gated'))).rejects.toMatchObject(refusal);
    await play.ask(sup.terminateChild(ref));
    expect(await play.which()).toEqual([]);
    expect(await play.counts()).toEqual([1, 0, 0, 0]);
    gate.starts = 'pass';
    await crashForGood(play, gate, await play.start());
    await stopsPromptly(play);
  });
});
