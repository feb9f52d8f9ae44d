// Do two copies of the package in one process get on with each other? A program and a library of it may each bring one.
import { setup } from 'xstate';
import { describe, expect, it, vi } from 'vitest';

import * as one from '../../../src/otp.ts';

vi.resetModules();
const other = await import('../../../src/otp.ts');

const echo = setup({ types: { events: {} as { type: 'ask'; from?: one.From } } }).createMachine({
  on: { ask: { actions: ({ event }) => one.reply(event.from, 'answer') } },
});

describe('another copy of the package', () => {
  it('is another one', () => {
    expect(other.System).not.toBe(one.System);
  });

  it('calls, monitors and stops the actors of this one', async () => {
    const system = new one.System();
    const sup = await one.startSupervisor({ children: [{ id: 'echo', start: echo }] }, { system });
    const { child } = await sup.whichChild('echo');
    const ref = child as one.ActorRef;
    expect(await other.call(ref, { type: 'ask' })).toBe('answer');
    const down = new Promise((resolve) => other.monitor(ref, ({ reason }) => resolve(reason)));
    expect(await other.stop(ref, { type: 'killed' })).toEqual({ type: 'killed' });
    expect(await down).toEqual({ type: 'killed' });
    await sup.stop();
  });

  it('runs its actors as their own code, which this one sees too', async () => {
    const seen: (one.ActorRef | undefined)[] = [];
    const start = setup({}).createMachine({
      entry: () => seen.push(one.self(), other.self()),
    });
    const system = new other.System();
    const sup = await other.startSupervisor({ children: [{ id: 'child', start }] }, { system });
    const { child } = await sup.whichChild('child');
    expect(seen).toEqual([child, child]);
    expect(seen[0]).toBe(child);
    await sup.stop();
  });
});
