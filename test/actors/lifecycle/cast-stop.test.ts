// Does a cast never fail, and does `stop` end an actor as its supervisor expects?
import { setup } from 'xstate';
import { describe, expect, it } from 'vitest';

import { cast, stop } from '../../../supervisors/messages.ts';
import { exitingAs, plain, std } from '../../conformance/children.ts';
import { stage } from '../../conformance/stage.ts';
import { boom, doers, rejectionOf, type Job } from './actors.ts';

describe('a cast', () => {
  it('never fails: what nobody gets is a dead letter', async () => {
    const { one, as, world } = await doers();
    as(one, boom);
    cast(one, { type: 'hello' });
    cast('nobody', { type: 'hello' }, world);
    expect(world.told('letter.dead')).toEqual([
      { path: 'root/one', epoch: 1, event: 'hello' },
      { path: 'nobody', epoch: 0, event: 'hello' },
    ]);
  });

  it('brings no return address, and a reply to it is nothing', async () => {
    const { one, world } = await doers();
    const froms: unknown[] = [];
    const note: Job = { type: 'job', run: (from) => void froms.push(from) };
    cast(one, note);
    await world.settle();
    expect(froms).toEqual([undefined]);
    expect(one.exitReason).toBeUndefined();
  });
});

describe('stop', () => {
  it('ends an actor with the reason, and its supervisor judges that', async () => {
    const made = await stage({
      children: [
        { id: 'permanent', start: plain },
        { id: 'transient', start: plain, restart: 'transient' },
      ],
    });
    const refs = await made.refs('permanent', 'transient');
    for (const ref of refs) expect(await made.ask(stop(ref))).toEqual({ type: 'normal' });
    expect(
      (await made.which()).map(([, ref]) => (ref as { epoch?: number } | undefined)?.epoch),
    ).toEqual([undefined, 2]);
    const again = await made.ref('permanent');
    expect(await made.ask(stop(again, { type: 'shutdown', detail: 'enough' }))).toEqual({
      type: 'shutdown',
      detail: 'enough',
    });
  });

  it('asks an actor that traps exits, and gives the reason with which that ends', async () => {
    const made = await stage({
      children: [
        { id: 'a', start: std },
        { id: 'b', start: exitingAs({ type: 'normal' }) },
      ],
    });
    const [a, b] = await made.refs('a', 'b');
    expect(await made.ask(stop(a!))).toEqual({ type: 'shutdown' });
    expect(await made.ask(stop(b!))).toEqual({ type: 'normal' });
  });

  it('waits no longer than it may', async () => {
    const deaf = setup({}).createMachine({
      on: { 'caduceus.shutdown': { actions: () => undefined } },
    });
    const made = await stage({ children: [{ id: 'a', start: deaf, shutdown: 'brutal_kill' }] });
    const ref = await made.ref('a');
    const waiting = rejectionOf(stop(ref, undefined, { timeoutMs: 10 }));
    await made.world.advance(10);
    expect(await made.ask(waiting)).toMatchObject({ code: 'timeout' });
  });

  it('of a supervisor stops its children first', async () => {
    const made = await stage({ children: [{ id: 'a', start: std }] });
    const a = await made.ref('a');
    expect(await made.ask(stop(made.sup.ref, { type: 'normal' }))).toEqual({ type: 'normal' });
    expect(a.exitReason).toEqual({ type: 'shutdown' });
  });
});
