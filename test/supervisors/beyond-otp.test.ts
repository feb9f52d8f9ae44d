// What does a supervisor do that OTP's does not, where it is asked to? Back-off, bounds on failed starts, starts in parallel, reasons that no restart mends.
import { describe, expect, it } from 'vitest';

import { SHUTDOWN } from '../../actors/ground/exit-reason.ts';
import type { StartFunction } from '../../actors/lifecycle/start-function.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { scripted, std } from '../conformance/children.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';

const BACKOFF = { minMs: 100, maxMs: 1_000, resetAfterMs: 10_000 };

async function tree(flags: SupervisorFlags) {
  const world = virtualSystem();
  const sup = await world.settled(startSupervisor(flags, world));
  const crash = async (id: string): Promise<void> => {
    const { child } = await world.settled(sup.whichChild(id));
    if (child === undefined || child === 'restarting') throw new Error(`${id} is not up`);
    child.send({ type: 'die' });
    await world.settle();
  };
  return { ...world, world, sup, crash };
}

function decisions(world: VirtualSystem) {
  return world.told('supervisor.decided').map(({ verdict, because }) => [verdict, because]);
}

function startsOf(world: VirtualSystem, id: string): number {
  return world.told('child.starting').filter(({ path }) => path.endsWith(`/${id}`)).length;
}

describe('a back-off', () => {
  it('waits longer before each restart in a row: half of 100, 200, 400 ms with this chance', async () => {
    const { world, crash, told, advance } = await tree({
      maxRestarts: 100,
      backoff: BACKOFF,
      children: [{ id: 'a', start: std }],
    });
    for (const delayMs of [50, 100, 200, 400]) {
      await crash('a');
      expect(told('supervisor.decided').at(-1)?.delayMs).toBe(delayMs);
      const before = startsOf(world, 'a');
      await advance(delayMs - 1);
      expect(startsOf(world, 'a')).toBe(before);
      await advance(1);
      expect(startsOf(world, 'a')).toBe(before + 1);
    }
  });

  it('never exceeds its ceiling, and begins anew after a stable time', async () => {
    const { crash, told, advance } = await tree({
      maxRestarts: 100,
      backoff: BACKOFF,
      children: [{ id: 'a', start: std }],
    });
    for (let times = 0; times < 6; times += 1) {
      await crash('a');
      await advance(1_000);
    }
    expect(told('supervisor.decided').at(-1)?.delayMs).toBe(500);
    await advance(BACKOFF.resetAfterMs);
    await crash('a');
    expect(told('supervisor.decided').at(-1)?.delayMs).toBe(50);
  });

  it('shows the child as restarting meanwhile, answers calls, and is ended by terminateChild', async () => {
    const { world, sup, crash, advance, settled } = await tree({
      backoff: BACKOFF,
      children: [{ id: 'a', start: std }],
    });
    await crash('a');
    expect(await settled(sup.whichChild('a'))).toMatchObject({ child: 'restarting' });
    await expect(settled(sup.restartChild('a'))).rejects.toMatchObject({ code: 'restarting' });
    await settled(sup.terminateChild('a'));
    await advance(10_000);
    expect([startsOf(world, 'a'), (await settled(sup.countChildren())).active]).toEqual([1, 0]);
  });

  it('keeps the whole group of a one_for_all down until it is over', async () => {
    const { sup, crash, advance, settled } = await tree({
      strategy: 'one_for_all',
      backoff: BACKOFF,
      children: [
        { id: 'a', start: std },
        { id: 'b', start: std },
      ],
    });
    await crash('b');
    expect((await settled(sup.countChildren())).active).toBe(0);
    await advance(50);
    expect((await settled(sup.countChildren())).active).toBe(2);
  });

  it('of one child goes before that of its supervisor', async () => {
    const { crash, told } = await tree({
      backoff: BACKOFF,
      children: [{ id: 'a', start: std, backoff: { minMs: 10, maxMs: 10 } }],
    });
    await crash('a');
    expect(told('supervisor.decided')[0]?.delayMs).toBe(5);
  });

  it('holds up no stop', async () => {
    const { sup, crash, settled, clock } = await tree({
      backoff: BACKOFF,
      children: [{ id: 'a', start: std }],
    });
    await crash('a');
    expect(await settled(sup.stop())).toEqual(SHUTDOWN);
    expect(clock.pending).toBe(0);
  });
});

/** Good the first time, then not any more. */
function failing(): StartFunction {
  let starts = 0;
  return () => {
    starts += 1;
    if (starts > 1) throw new Error('no such module');
    return { logic: std };
  };
}

describe('failed starts in a row', () => {
  it('end the supervisor at the bound of the child, however slow they are', async () => {
    const { world, sup, crash, advance, settled } = await tree({
      maxRestarts: 1,
      periodMs: 10,
      backoff: { minMs: 1_000, maxMs: 1_000 },
      children: [{ id: 'a', start: failing(), maxConsecutiveStartFailures: 4 }],
    });
    await crash('a');
    await advance(60_000);
    expect([startsOf(world, 'a'), await settled(sup.exited)]).toEqual([5, SHUTDOWN]);
    expect(decisions(world).at(-1)).toEqual(['give_up', 'reached_max_start_failures']);
  });

  it('have no bound but the intensity by default, as in OTP', async () => {
    const { world, sup, crash, settled } = await tree({
      maxRestarts: 7,
      children: [{ id: 'a', start: failing() }],
    });
    await crash('a');
    expect([startsOf(world, 'a'), await settled(sup.exited)]).toEqual([8, SHUTDOWN]);
  });
});

describe('a reason that no restart mends', () => {
  it('ends the supervisor at once instead of using its budget up', async () => {
    const { world, sup, crash, settled } = await tree({
      maxRestarts: 100,
      children: [
        {
          id: 'a',
          start: failing(),
          isRetryable: (reason) =>
            reason.type !== 'error' || reason.error.message !== 'no such module',
        },
      ],
    });
    await crash('a');
    // The crash itself could be mended; the failed start that followed could not.
    expect([startsOf(world, 'a'), await settled(sup.exited)]).toEqual([2, SHUTDOWN]);
    expect(decisions(world).at(-1)).toEqual(['give_up', 'not_retryable']);
  });
});

describe('starts in parallel', () => {
  it('are never more than maxConcurrentStarts; the next begins when one is ready', async () => {
    const scripts = [scripted(), scripted(), scripted(), scripted()];
    const { world, sup, settle, settled } = await tree({
      maxConcurrentStarts: 2,
      children: scripts.map(({ start }, index) => ({ id: String(index), start, ack: 'spawned' })),
    });
    const begun = (): number[] => scripts.map((script) => script.begun);
    expect([begun(), sup.statistics().children.map(({ state }) => state)]).toEqual([
      [1, 1, 0, 0],
      ['spawning', 'spawning', 'queued', 'queued'],
    ]);
    scripts[1]!.answer('ok');
    await settle();
    expect(begun()).toEqual([1, 1, 1, 0]);
    scripts[0]!.answer('ok');
    scripts[2]!.answer('ok');
    await settle();
    scripts[3]!.answer('ok');
    expect((await settled(sup.countChildren())).active).toBe(4);
    await settled(sup.stop());
    expect(world.clock.pending).toBe(0);
  });

  it('make room when one fails, and that one is restarted like any other that ended', async () => {
    const [first, second] = [scripted(), scripted()];
    const { sup, settle, settled, world } = await tree({
      maxConcurrentStarts: 1,
      children: [
        { id: 'a', start: first.start, ack: 'spawned' },
        { id: 'b', start: second.start, ack: 'spawned' },
      ],
    });
    first.answer(new Error('not this time'));
    await settle();
    expect([first.begun, second.begun]).toEqual([1, 1]);
    second.answer('ok');
    await settle();
    first.answer('ok');
    expect((await settled(sup.countChildren())).active).toBe(2);
    expect(decisions(world)[0]).toEqual(['restart', 'within the restart intensity']);
  });

  it('that wait are forgotten by a stop', async () => {
    const scripts = [scripted(), scripted()];
    const { sup, settled } = await tree({
      maxConcurrentStarts: 1,
      children: scripts.map(({ start }, index) => ({ id: String(index), start, ack: 'spawned' })),
    });
    expect(await settled(sup.stop())).toEqual(SHUTDOWN);
    expect(scripts.map(({ begun }) => begun)).toEqual([1, 0]);
  });
});

describe('a start that is under way', () => {
  it('is called off by terminateChild, which does not wait behind it', async () => {
    const slow = scripted();
    const { sup, settle, settled } = await tree({ children: [] });
    const starting = sup.startChild({ id: 'a', start: slow.start });
    starting.catch(() => undefined);
    await settle();
    await settled(sup.terminateChild('a'));
    await expect(settled(starting)).rejects.toMatchObject({ code: 'failed_to_start_child' });
    expect(await settled(sup.whichChildren())).toEqual([]);
  });

  it('of a restart is called off too: the child stays down, and no try follows', async () => {
    const slow = scripted();
    const world = virtualSystem();
    const started = startSupervisor({ children: [{ id: 'a', start: slow.start }] }, world);
    await world.settle();
    slow.answer('ok');
    const sup = await world.settled(started);
    const { child } = await world.settled(sup.whichChild('a'));
    if (typeof child === 'object') child.send({ type: 'die' });
    await world.settle();
    await world.settled(sup.terminateChild('a'));
    expect([slow.begun, await world.settled(sup.whichChild('a'))]).toMatchObject([
      2,
      { child: undefined },
    ]);
  });

  it('is called off by stop, and whoever waited for it is told', async () => {
    const slow = scripted();
    const { sup, settle, settled } = await tree({ children: [{ id: 'b', start: std }] });
    const starting = sup.startChild({ id: 'a', start: slow.start });
    starting.catch(() => undefined);
    await settle();
    expect(await settled(sup.stop())).toEqual(SHUTDOWN);
    await expect(settled(starting)).rejects.toMatchObject({ code: 'noproc' });
  });

  it('has failed after startTimeoutMs, and its signal says so', async () => {
    const slow = scripted();
    const { sup, settle, advance, settled } = await tree({ children: [] });
    const starting = sup.startChild({ id: 'a', start: slow.start, startTimeoutMs: 200 });
    starting.catch(() => undefined);
    await settle();
    await advance(200);
    await expect(settled(starting)).rejects.toMatchObject({
      code: 'failed_to_start_child',
      reason: { type: 'timeout', what: 'start' },
    });
  });
});
