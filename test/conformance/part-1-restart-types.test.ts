// Which end of a child brings it back? Cases 29 to 41 of supervisor_SUITE.
import { describe, expect } from 'vitest';

import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { RestartType } from '../../supervisors/child-spec.ts';
import { std } from './children.ts';
import { scenario } from './scenario.ts';
import { supervise, TWO_IN_AN_HOUR, type Supervised } from './supervised.ts';

const SHUTDOWN: ExitReason = { type: 'shutdown' };
const SHUTDOWN_WITH: ExitReason = { type: 'shutdown', detail: { some: 'reason' } };

interface One {
  readonly held: Supervised;
  readonly spec: { readonly id: string };
  readonly child: ActorRef;
}

/** One child that was added to a running supervisor, as the cases do. */
async function one(restart: RestartType): Promise<One> {
  const held = await supervise(TWO_IN_AN_HOUR);
  const spec = { id: 'child1', start: std, restart, shutdown: 1_000 };
  return { held, spec, child: await held.start(spec) };
}

/** It was restarted: another incarnation has its place. @returns that one. */
async function restarted(held: Supervised, before: ActorRef): Promise<ActorRef> {
  expect(before.exitReason).toBeDefined();
  const child = await held.child('child1');
  expect(child).not.toBe(before);
  expect(child.exitReason).toBeUndefined();
  expect(await held.which()).toEqual([['child1', child]]);
  expect(await held.counts()).toEqual([1, 1, 0, 1]);
  return child;
}

async function isKeptDown(held: Supervised): Promise<void> {
  expect(await held.which()).toEqual([['child1', undefined]]);
  expect(await held.counts()).toEqual([1, 0, 0, 1]);
}

async function isForgotten(held: Supervised): Promise<void> {
  expect(await held.which()).toEqual([]);
  expect(await held.counts()).toEqual([0, 0, 0, 0]);
}

describe('restart types', () => {
  scenario(
    29,
    'external_start_no_progress_log',
    'the levels of the log are a field of the event `supervisor.progress`',
    async () => {
      const { held, child } = await one('permanent');
      await held.tell(child, { type: 'stop' });
      const successor = await restarted(held, child);
      const log = held.world.events.flatMap(({ name, event }) => {
        if (name === 'supervisor.reported')
          return [(event as { errorContext: string }).errorContext];
        if (name !== 'supervisor.progress') return [];
        const { level, started } = event as { level: string; started: { pid: string } };
        return [`${level} ${started.pid}`];
      });
      expect(log).toEqual([
        'debug root/child1#1',
        'child_terminated',
        `info root/child1#${successor.epoch}`,
      ]);
      await held.stop();
    },
  );

  scenario(30, 'multiple_restarts', '', async () => {
    const held = await supervise({ maxRestarts: 1, periodMs: 1_000 });
    let child = await held.start({ id: 'child1', start: std, shutdown: 1_000 });
    await held.tell(child, { type: 'die' });
    child = await restarted(held, child);
    for (let crash = 0; crash < 3; crash += 1) {
      await held.world.advance(2_100);
      await held.tell(child, { type: 'die' });
      child = await restarted(held, child);
    }
    await held.ask(held.sup.terminateChild('child1'));
    await held.ask(held.sup.deleteChild('child1'));
    expect(await held.which()).toEqual([]);
    await held.stop();
  });

  scenario(31, 'permanent_normal', '', async () => {
    const { held, child } = await one('permanent');
    await held.tell(child, { type: 'stop' });
    expect(child.exitReason).toEqual({ type: 'normal' });
    await restarted(held, child);
    await held.stop();
  });

  scenario(32, 'transient_normal', '', async () => {
    const { held, child } = await one('transient');
    await held.tell(child, { type: 'stop' });
    await isKeptDown(held);
    await held.stop();
  });

  scenario(33, 'temporary_normal', '', async () => {
    const { held, child } = await one('temporary');
    await held.tell(child, { type: 'stop' });
    await isForgotten(held);
    await held.stop();
  });

  scenario(34, 'permanent_shutdown', '', async () => {
    const { held, child } = await one('permanent');
    await held.exits(child, SHUTDOWN);
    const second = await restarted(held, child);
    await held.exits(second, SHUTDOWN_WITH);
    expect(second.exitReason).toEqual(SHUTDOWN_WITH);
    await restarted(held, second);
    await held.stop();
  });

  scenario(35, 'transient_shutdown', '', async () => {
    const { held, child } = await one('transient');
    await held.exits(child, SHUTDOWN);
    await isKeptDown(held);
    await held.ask(held.sup.restartChild('child1'));
    const second = await restarted(held, child);
    await held.exits(second, SHUTDOWN_WITH);
    await isKeptDown(held);
    await held.stop();
  });

  scenario(36, 'temporary_shutdown', '', async () => {
    const { held, child, spec } = await one('temporary');
    await held.exits(child, SHUTDOWN);
    await isForgotten(held);
    const second = await held.start(spec);
    expect(await held.counts()).toEqual([1, 1, 0, 1]);
    await held.exits(second, SHUTDOWN_WITH);
    await isForgotten(held);
    await held.stop();
  });

  scenario(38, 'permanent_abnormal', '', async () => {
    const { held, child } = await one('permanent');
    await held.tell(child, { type: 'die' });
    await restarted(held, child);
    await held.stop();
  });

  scenario(39, 'transient_abnormal', '', async () => {
    const { held, child } = await one('transient');
    await held.tell(child, { type: 'die' });
    await restarted(held, child);
    await held.stop();
  });

  scenario(40, 'temporary_abnormal', '', async () => {
    const { held, child } = await one('temporary');
    await held.tell(child, { type: 'die' });
    await isForgotten(held);
    await held.stop();
  });

  scenario(41, 'temporary_bystander', '', async () => {
    for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
      const held = await supervise({
        ...TWO_IN_AN_HOUR,
        strategy,
        children: [
          { id: 'child1', start: std, restart: 'permanent' },
          { id: 'child2', start: std, restart: 'temporary' },
        ],
      });
      const child = await held.child('child1');
      const bystander = await held.child('child2');
      await held.tell(child, { type: 'stop' });
      expect(bystander.exitReason).toEqual(SHUTDOWN);
      await restarted(held, child);
      expect(held.state).toBe('ready');
      await held.stop();
    }
  });
});
