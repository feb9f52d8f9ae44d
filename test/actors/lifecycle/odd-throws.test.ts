// Is whatever an actor throws its own crash, however odd it is?
import { fromCallback, setup, type AnyActorLogic } from 'xstate';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { exit } from '../../../actors/lifecycle/exit.ts';
import { logEvents } from '../../../src/telemetry/log.ts';
import { failure, supervise } from '../../conformance/supervised.ts';
import { ODDITIES } from '../ground/oddities.ts';

const names = Object.keys(ODDITIES);

function odd(name: string): unknown {
  return ODDITIES[name]?.();
}

/** Throws at `go`. */
function onGo(name: string): AnyActorLogic {
  const go = (): never => {
    throw odd(name);
  };
  return setup({ types: { events: {} as { readonly type: 'go' } } }).createMachine({
    on: { go: { actions: go } },
  });
}

describe('a start', () => {
  it.each(names)('that throws, or rejects with, fails: %s', async (name) => {
    const held = await supervise();
    const throws = (): never => {
      throw odd(name);
    };
    const rejects = async (): Promise<never> => throws();
    for (const start of [throws, rejects]) {
      const failed = await held.ask(failure(held.sup.startChild({ id: 'child', start })));
      expect(failed).toMatchObject({ code: 'failed_to_start_child', reason: { type: 'error' } });
    }
  });
});

describe('an actor', () => {
  it.each(names)('that throws is restarted, and the log tells of it: %s', async (name) => {
    const held = await supervise();
    const lines: string[] = [];
    logEvents(held.world.bus, pino({ level: 'warn' }, { write: (text) => lines.push(text) }));
    const start = onGo(name);
    await held.tell(await held.start({ id: 'child', start }), { type: 'go' });
    expect((await held.child('child')).epoch).toBe(2);
    await held.tell(await held.child('child'), { type: 'go' });
    expect(held.world.told('bus.subscriber_detached')).toEqual([]);
    expect(lines.filter((line) => line.includes('Context: child_terminated'))).toHaveLength(2);
  });

  it.each(names)('whose clean-up throws, or rejects with, ends all the same: %s', async (name) => {
    const held = await supervise();
    const logic = fromCallback(() => async () => {
      throw odd(name);
    });
    const cleanUp = (): never => {
      throw odd(name);
    };
    await held.start({ id: 'child', start: () => ({ logic, cleanUp }) });
    await held.ask(held.sup.terminateChild('child'));
    const late = held.world.told('child.late_error');
    expect(late.map(({ error }) => error instanceof Error)).toEqual([true, true]);
  });

  it('ends with an error where what it gives as its reason is none', async () => {
    const held = await supervise();
    const given = [undefined, 'bye', { type: 'unknown' }, { type: 'error', error: 'text' }];
    for (const reason of given) {
      const logic = setup({}).createMachine({
        initial: 'up',
        states: { up: { on: { go: 'over' } }, over: { type: 'final' } },
        output: () => exit(reason as never),
      });
      const child = await held.start({ id: 'child', start: logic, restart: 'temporary' });
      await held.tell(child, { type: 'go' });
    }
    const reasons = held.world.told('supervisor.reported').map(({ reason }) => reason);
    expect(reasons).toMatchObject(given.map(() => ({ type: 'error', error: {} })));
  });

  it('is gone when it ends, also where its logic cannot be stopped', async () => {
    const held = await supervise();
    const fails: AnyActorLogic = {
      getInitialSnapshot: () => ({
        ...{ status: 'active', output: undefined, error: undefined, children: { odd: 1 } },
      }),
      getPersistedSnapshot: (snapshot: unknown) => snapshot,
      transition: () => {
        throw new Error('boom');
      },
    } as never;
    await held.tell(await held.start({ id: 'child', start: fails }), { type: 'go' });
    expect((await held.child('child')).epoch).toBe(2);
    expect(held.world.told('child.late_error')).not.toEqual([]);
  });
});

describe('a reason to stop with', () => {
  it('that is none is refused, and nothing is stopped', async () => {
    const held = await supervise();
    for (const reason of ['bye', null, {}]) {
      expect(await held.ask(failure(held.sup.stop(reason as never)))).toBeInstanceOf(TypeError);
    }
    expect(held.sup.statistics().state).toBe('ready');
  });
});
