import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import type { Cancellation } from '../../../actors/ground/errors.ts';
import type { PortAbility } from '../../../actors/port/port-types.ts';
import type { Worker } from '../../../actors/worker/worker-types.ts';
import type { Fate } from '../../support/scripted-pool.ts';
import { scriptedPython } from '../../support/scripted-python.ts';
import { inSession, pooled, remember, shown, STAGES_MS } from './calling.ts';

const cancellationOf = ({ error }: Fate): Cancellation =>
  (error as unknown as { readonly cancellation: Cancellation }).cancellation;

const stageOf = async (fate: Fate): Promise<string> => cancellationOf(fate).settled;

/** Abort the call when the test says so. */
const aborting = () => {
  const controller = new AbortController();
  return { abort: () => controller.abort(new Error('enough')), signal: controller.signal };
};

const change = { change: { change: 'create', key: 'x' } } as const;

describe('an abandoned call tells what it took to end it', () => {
  it('not_sent: it still waited', async () => {
    const { call, pass } = pooled();
    call('hang');
    const late = call('echo', {}, { timeoutMs: 100 });
    await pass(100);
    expect([shown(late), await stageOf(late)]).toEqual(['deadline_exceeded notSent', 'not_sent']);
  });

  it('withdrawn: it had been sent ahead', async () => {
    const { call, pass } = pooled({ prefetch: 1 }, scriptedPython());
    call('hang');
    const late = call('echo', {}, { timeoutMs: 100 });
    await pass(100);
    expect([shown(late), await stageOf(late)]).toEqual(['deadline_exceeded notSent', 'withdrawn']);
  });

  it.each(['flag', 'raise', 'interrupt', 'kill'] as const)('%s: it ran', async (endedBy) => {
    const { call, pass } = pooled({}, scriptedPython());
    const late = call('hang', { endedBy }, { timeoutMs: 100 });
    await pass(100);
    // Its caller is told at once; the stage is known when it is over.
    expect(shown(late)).toBe('deadline_exceeded maybeExecuted');
    await pass(STAGES_MS);
    expect([cancellationOf(late).stage, await stageOf(late)]).toEqual([endedBy, endedBy]);
  });

  it('not before it is over', async () => {
    const { call, pass } = pooled({}, scriptedPython());
    const late = call('hang', { endedBy: 'interrupt' }, { timeoutMs: 100 });
    await pass(100 + LIMITS.cancelFlagMs);
    expect(cancellationOf(late).stage).toBeUndefined();
  });

  it('kill: its worker was being brought up to date for it', async () => {
    const { call, done, pass, world } = pooled(
      {},
      {
        onCall: (process, one) => {
          if (process.pid === 1 || one.op !== 'create') remember(process, one);
        },
      },
    );
    call('create', { id: 'x' });
    await done();
    call('exit');
    await done();
    const late = call('use', { id: 'x' }, { timeoutMs: 100 });
    await pass(100);
    expect([shown(late), cancellationOf(late).stage]).toEqual([
      'deadline_exceeded notSent',
      undefined,
    ]);
    await pass(STAGES_MS);
    expect(await stageOf(late)).toBe('kill');
    expect(world.processes).toHaveLength(3);
  });

  it('to a caller that aborts as to one whose time is over', async () => {
    const { call, done } = pooled({}, scriptedPython());
    const { abort, signal } = aborting();
    const aborted = call('hang', { endedBy: 'flag' }, { signal });
    await done();
    abort();
    await done();
    expect([shown(aborted), await stageOf(aborted)]).toEqual(['aborted maybeExecuted', 'flag']);
  });

  it('kill: of a bridge that cannot be asked, whose worker is replaced at once', async () => {
    const { call, done, pass, pool, world } = pooled();
    await done();
    const worker = pool.supervisor!.children()[0] as unknown as Worker;
    const abilities = worker.abilities as Set<PortAbility>;
    abilities.delete('cancellation');
    try {
      const late = call('hang', {}, { timeoutMs: 100 });
      await pass(100);
      expect([shown(late), await stageOf(late), world.processes.length]).toEqual([
        ...['deadline_exceeded maybeExecuted', 'kill', 2],
      ]);
    } finally {
      abilities.add('cancellation');
    }
  });
});

describe('a worker with a call that is being ended', () => {
  it('takes nothing new before it is over', async () => {
    const { call, pass, world, python } = pooled({ prefetch: 3 }, scriptedPython());
    call('hang', { endedBy: 'interrupt' }, { timeoutMs: 100 });
    await pass(100);
    const next = call('echo');
    await pass(LIMITS.cancelFlagMs + LIMITS.cancelRaiseMs - 1);
    const before = world.callsWritten.length;
    await pass(1);
    expect([before, world.callsWritten.length, next.state]).toEqual([1, 2, 'resolved']);
    expect(python(1).running.size).toBe(0);
  });

  it('takes nothing new either when it was being brought up to date for a call meanwhile', async () => {
    const held: (() => void)[] = [];
    const python = scriptedPython(2);
    const setup = pooled(
      { maxRestarts: 100 },
      {
        ...python,
        onCall: (process, one) => {
          if (process.pid === 2 && one.op === 'create')
            held.push(() => python.onCall(process, one));
          else python.onCall(process, one);
        },
      },
    );
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    setup.call('exit');
    await setup.done();
    setup.call('hang', { endedBy: 'raise' }, { timeoutMs: 100 });
    const use = setup.call('use', { id: 'x' }, inSession('s'));
    await setup.pass(100);
    // It is being ended now, and what the other call needs is there.
    for (const release of held) release();
    await setup.done();
    const before = setup.world.processes[1]?.calls.map(({ op }) => op);
    await setup.pass(LIMITS.cancelFlagMs);
    expect(before).toEqual(['hang', 'create']);
    expect(use.state).toBe('resolved');
  });

  it('fails the call that it was brought up to date for as not sent when it must be killed', async () => {
    const held: (() => void)[] = [];
    const python = scriptedPython(2, 'threads');
    const setup = pooled(
      { maxRestarts: 100 },
      {
        ...python,
        onCall: (process, one) => {
          if (process.pid === 2 && one.op === 'create')
            held.push(() => python.onCall(process, one));
          else python.onCall(process, one);
        },
      },
    );
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    setup.call('exit');
    await setup.done();
    setup.call('hang', { endedBy: 'kill' }, { timeoutMs: 100 });
    const use = setup.call('use', { id: 'x' }, inSession('s'));
    await setup.pass(100);
    for (const release of held) release();
    await setup.pass(LIMITS.cancelFlagMs + LIMITS.cancelDrainMs);
    expect(shown(use)).toBe('worker_crashed notSent');
    expect(setup.pool.endSession('s')).toBe(true);
  });

  it('is passed by: another one takes the calls', async () => {
    const { call, pass, world } = pooled({ size: 2 }, scriptedPython());
    call('hang', { endedBy: 'kill' }, { timeoutMs: 100 });
    await pass(100);
    const next = call('echo');
    await pass(0);
    expect([next.state, world.processes.map(({ calls }) => calls.length)]).toEqual([
      ...['resolved', [1, 1]],
    ]);
  });

  it('is left alone by the ends of others: it takes calls again when the last is over', async () => {
    const { call, pass, world, python } = pooled({ prefetch: 0 }, scriptedPython(3));
    call('hang', { endedBy: 'flag' }, { timeoutMs: 100 });
    call('hang', { endedBy: 'raise' }, { timeoutMs: 100 });
    const third = call('hang');
    await pass(100);
    const next = call('echo');
    await pass(LIMITS.cancelFlagMs - 1);
    const before = world.callsWritten.length;
    await pass(1);
    python(1).finish(3, 'third');
    await pass(0);
    expect([before, shown(third), next.state, world.processes.length]).toEqual([
      ...[3, 'third', 'resolved', 1],
    ]);
  });
});

describe('a state-changing call that is cut short', () => {
  it('costs its worker, though it ended gently: what it has done nobody knows', async () => {
    const { call, pass, world } = pooled({}, scriptedPython());
    const late = call('hang', { endedBy: 'flag' }, { ...change, timeoutMs: 100 });
    await pass(100);
    const next = call('echo');
    await pass(0);
    expect([shown(late), await stageOf(late), next.state]).toEqual([
      ...['deadline_exceeded maybeExecuted', 'flag', 'resolved'],
    ]);
    expect([world.processes.length, world.processes[0]?.isAlive]).toEqual([2, false]);
  });

  it('lets the others of its worker finish before it is replaced', async () => {
    const { call, pass, world, python } = pooled({}, scriptedPython(2));
    const other = call('hang');
    call('hang', { endedBy: 'flag' }, { ...change, timeoutMs: 100 });
    await pass(1_000);
    const before = [world.processes.length, world.processes[0]?.isAlive];
    const waits = call('echo');
    await pass(0);
    expect([before, waits.state]).toEqual([[1, true], 'pending']);
    python(1).finish(1, 'other');
    await pass(0);
    expect([shown(other), waits.state, world.processes.length]).toEqual(['other', 'resolved', 2]);
  });

  it('is not remembered, though Python answered it after all', async () => {
    const { call, done, pass, world, python } = pooled({}, scriptedPython());
    const late = call('hang', { id: 'x', endedBy: 'kill' }, { ...change, timeoutMs: 100 });
    await pass(100);
    python(1).finish(1, 'made');
    await done();
    call('echo');
    await done();
    expect(shown(late)).toBe('deadline_exceeded maybeExecuted');
    expect(world.callsWritten.map(({ op }) => op)).toEqual(['hang', 'echo']);
  });
});

describe('a worker that is to be replaced for it', () => {
  it('runs the call that it was being brought up to date for: it finishes what it has', async () => {
    const held: (() => void)[] = [];
    const python = scriptedPython(2);
    const setup = pooled(
      { maxRestarts: 100 },
      {
        ...python,
        onCall: (process, one) => {
          if (process.pid === 2 && one.op === 'create')
            held.push(() => python.onCall(process, one));
          else python.onCall(process, one);
        },
      },
    );
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    setup.call('exit');
    await setup.done();
    setup.call('hang', { endedBy: 'flag' }, { ...change, timeoutMs: 100 });
    const use = setup.call('use', { id: 'x' }, inSession('s'));
    await setup.pass(100);
    for (const release of held) release();
    await setup.done();
    expect([use.state, setup.world.processes.length]).toEqual(['resolved', 3]);
  });
});

describe('the others of a worker that must be killed', () => {
  it('may have run, as far as they ran, and were not sent, as far as they waited', async () => {
    const { call, pass } = pooled({ prefetch: 1 }, scriptedPython(2));
    call('hang', { endedBy: 'kill' }, { timeoutMs: 100 });
    const [runs, waits] = [call('hang'), call('hang')];
    await pass(100 + LIMITS.cancelFlagMs + LIMITS.cancelRaiseMs + LIMITS.cancelDrainMs);
    expect([shown(runs), shown(waits)]).toEqual([
      ...['worker_crashed maybeExecuted', 'worker_crashed notSent'],
    ]);
  });

  it('may finish while it drains, which ends nothing of them', async () => {
    const { call, pass, python, world } = pooled({}, scriptedPython(2));
    call('hang', { endedBy: 'kill' }, { timeoutMs: 100 });
    const runs = call('hang');
    await pass(100 + LIMITS.cancelFlagMs + LIMITS.cancelRaiseMs + LIMITS.cancelDrainMs - 1);
    python(1).finish(2, 'done');
    await pass(1);
    expect([shown(runs), world.processes.length]).toEqual(['done', 2]);
  });
});
