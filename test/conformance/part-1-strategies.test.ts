// Who goes down and who comes back with a child? Cases 42 to 46, 53 to 55 and 87 of supervisor_SUITE.
import { describe, expect } from 'vitest';

import { failAgain, scripted, std, type Script } from './children.ts';
import { scenario } from './scenario.ts';
import { child, stage, type Stage } from './stage.ts';

const SHUTDOWN = { type: 'shutdown' };
const NO_START = new Error('told to fail');

/** Start a scripted child: its first start is good. */
async function startScripted(play: Stage, id: string): Promise<Script> {
  const script = scripted();
  const started = play.sup.startChild(child(id, { start: script.start }));
  await play.world.settle();
  script.answer('ok');
  await play.ask(started);
  return script;
}

/** Answer the start that waits, and let what follows happen. */
async function answer(play: Stage, script: Script, outcome: 'ok' | Error): Promise<void> {
  script.answer(outcome);
  await play.world.settle();
}

describe('one_for_one', () => {
  scenario(42, 'one_for_one', '', async () => {
    const play = await stage({ strategy: 'one_for_one' });
    const [first, second] = await play.starts(child('child1'), child('child2'));
    await play.end(first!, 'abnormal');
    const [first2, second2] = await play.refs('child1', 'child2');
    expect(first2).not.toBe(first);
    expect(second2).toBe(second);
    expect(await play.counts()).toEqual([2, 2, 0, 2]);
    await play.end(second2!, 'abnormal');
    expect(play.exit).toBeUndefined();
    await play.end(first2!, 'abnormal');
    expect(play.exit).toEqual(SHUTDOWN);
  });

  scenario(43, 'one_for_one_escalation', '', async () => {
    const play = await stage({ strategy: 'one_for_one', maxRestarts: 4 });
    const failing = child('child1', { start: failAgain() });
    const [first, second] = await play.starts(failing, child('child2'));
    await play.end(first!, 'abnormal');
    expect(play.exit).toEqual(SHUTDOWN);
    expect(second!.exitReason).toEqual(SHUTDOWN);
    expect(
      play.world.told('child.starting').filter(({ path }) => path === first!.path).length,
    ).toBe(5);
  });
});

describe('one_for_all', () => {
  scenario(44, 'one_for_all', '', async () => {
    const play = await stage({ strategy: 'one_for_all' });
    const [first, second] = await play.starts(child('child1'), child('child2'));
    await play.end(first!, 'abnormal');
    expect(second!.exitReason).toEqual(SHUTDOWN);
    const [first2, second2] = await play.refs('child1', 'child2');
    expect([first2, second2]).not.toContain(first);
    expect([first2, second2]).not.toContain(second);
    expect(await play.counts()).toEqual([2, 2, 0, 2]);
    await play.end(second2!, 'abnormal');
    expect(play.exit).toBeUndefined();
    await play.end(await play.ref('child1'), 'abnormal');
    expect(play.exit).toEqual(SHUTDOWN);
  });

  scenario(45, 'one_for_all_escalation', '', async () => {
    const play = await stage({ strategy: 'one_for_all', maxRestarts: 4 });
    const failing = child('child2', { start: failAgain() });
    const [first, second] = await play.starts(child('child1'), failing);
    await play.end(first!, 'abnormal');
    expect(play.exit).toEqual(SHUTDOWN);
    expect(second!.exitReason).toEqual(SHUTDOWN);
  });

  scenario(46, 'one_for_all_other_child_fails_restart', '', async () => {
    const play = await stage({ strategy: 'one_for_all', maxRestarts: 3 });
    const first = await startScripted(play, 'child1');
    const second = await startScripted(play, 'child2');
    const [before, sibling] = await play.refs('child1', 'child2');
    await play.end(before!, 'kill');
    expect(sibling!.exitReason).toEqual(SHUTDOWN);
    expect([first.begun, second.begun]).toEqual([2, 1]);
    await answer(play, first, 'ok');
    expect([first.begun, second.begun]).toEqual([2, 2]);
    const between = play.sup.children()[0]!.ref;
    await answer(play, second, NO_START);
    // The restart begins anew, from the first child on.
    expect(between.exitReason).toEqual(SHUTDOWN);
    expect([first.begun, second.begun]).toEqual([3, 2]);
    await answer(play, first, 'ok');
    await answer(play, second, 'ok');
    expect([first.begun, second.begun]).toEqual([3, 3]);
    expect(await play.counts()).toEqual([2, 2, 0, 2]);
    expect(await play.ask(play.sup.stop())).toEqual(SHUTDOWN);
  });
});

describe('rest_for_one', () => {
  scenario(53, 'rest_for_one', '', async () => {
    const play = await stage({ strategy: 'rest_for_one' });
    const before = await play.starts(child('child1'), child('child2'), child('child3'));
    await play.end(before[1]!, 'abnormal');
    expect(before[2]!.exitReason).toEqual(SHUTDOWN);
    const after = await play.refs('child1', 'child2', 'child3');
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(after[2]).not.toBe(before[2]);
    expect(await play.counts()).toEqual([3, 3, 0, 3]);
    await play.end(after[1]!, 'abnormal');
    expect(play.exit).toBeUndefined();
    await play.end(await play.ref('child2'), 'abnormal');
    expect(play.exit).toEqual(SHUTDOWN);
    expect(before[0]!.exitReason).toEqual(SHUTDOWN);
  });

  scenario(54, 'rest_for_one_escalation', '', async () => {
    const play = await stage({ strategy: 'rest_for_one', maxRestarts: 4 });
    const failing = child('child2', { start: failAgain() });
    const [first, second] = await play.starts(child('child1'), failing);
    await play.end(first!, 'abnormal');
    expect(play.exit).toEqual(SHUTDOWN);
    expect(second!.exitReason).toEqual(SHUTDOWN);
  });

  scenario(55, 'rest_for_one_other_child_fails_restart', '', async () => {
    const play = await stage({ strategy: 'rest_for_one', maxRestarts: 3 });
    const first = await startScripted(play, 'child1');
    const second = await startScripted(play, 'child2');
    await play.end(await play.ref('child1'), 'kill');
    await answer(play, first, 'ok');
    const between = play.sup.children()[0]!.ref;
    await answer(play, second, NO_START);
    // The restart goes on where it failed.
    expect([first.begun, second.begun]).toEqual([2, 3]);
    expect(between.exitReason).toBeUndefined();
    await answer(play, second, 'ok');
    expect(await play.ref('child1')).toBe(between);
    expect(await play.counts()).toEqual([2, 2, 0, 2]);
    expect(await play.ask(play.sup.stop())).toEqual(SHUTDOWN);
  });

  scenario(87, 'order_of_children', '', async () => {
    const ids = ['fourth', 'second', 'zeroth', 'first', 'third'];
    const children = ids.map((id) => child(id, { start: std }));
    const play = await stage({ strategy: 'rest_for_one', children });
    const startedIds = (): readonly string[] =>
      play.world.told('child.ready').map(({ path }) => path.split('/')[1]!);
    const stoppedIds = (): readonly string[] =>
      play.world.told('child.stopped').map(({ path }) => path.split('/')[1]!);
    expect(startedIds()).toEqual(ids);
    expect((await play.which()).map(([id]) => id)).toEqual([...ids].reverse());
    await play.end(await play.ref('zeroth'), 'kill');
    expect(stoppedIds()).toEqual(['third', 'first']);
    expect(startedIds().slice(5)).toEqual(['zeroth', 'first', 'third']);
    expect((await play.which()).map(([id]) => id)).toEqual([...ids].reverse());
    await play.ask(play.sup.stop());
    expect(stoppedIds().slice(2)).toEqual([...ids].reverse());
  });
});
