// Does code know whose it is: at once, later, in a start function, and in what it leaves behind?
import { fromCallback, setup } from 'xstate';
import { describe, expect, it } from 'vitest';

import type { ActorRef } from '../../../actors/lifecycle/ref.ts';
import { self } from '../../../actors/lifecycle/self.ts';
import { stage } from '../../conformance/stage.ts';
import { doers } from './actors.ts';

describe('self', () => {
  it('is nobody outside of every actor', () => {
    expect(self()).toBeUndefined();
  });

  it('is the incarnation whose code runs, also when others sent the event', async () => {
    const { one, two, as } = await doers();
    const seen = as(one, () => [self(), as(two, self), self()]);
    expect(seen).toEqual([one, two, one]);
    expect(self()).toBeUndefined();
  });

  it('holds across awaits and in a machine’s delays', async () => {
    const seen: (ActorRef | undefined)[] = [];
    const note = (): void => void seen.push(self());
    const waits = setup({}).createMachine({
      initial: 'before',
      states: { before: { after: { 10: 'after' } }, after: { entry: note } },
    });
    const asks = fromCallback(() => void Promise.resolve().then(note));
    const made = await stage({
      children: [
        { id: 'waits', start: waits },
        { id: 'asks', start: asks },
      ],
    });
    await made.world.advance(10);
    expect(seen).toEqual(await made.refs('asks', 'waits'));
  });

  it('is known to a start function, whose escapes are a crash of that start', async () => {
    const seen: (ActorRef | undefined)[] = [];
    const made = await stage();
    const ref = await made.start({
      id: 'a',
      start: () => {
        seen.push(self());
        return { logic: fromCallback(() => undefined) };
      },
    });
    expect(seen).toEqual([ref]);
  });

  it('is the next incarnation after a restart', async () => {
    const seen: (ActorRef | undefined)[] = [];
    const logic = fromCallback<{ type: 'die' }>(({ receive }) => {
      seen.push(self());
      receive(() => {
        throw new Error('died');
      });
    });
    const made = await stage({ children: [{ id: 'a', start: logic }] });
    await made.tell(await made.ref('a'), { type: 'die' });
    expect(seen.map((ref) => ref?.epoch)).toEqual([1, 2]);
  });

  it('is the child in its clean-up, and nobody in its start, whoever had it ended and started', async () => {
    const seen: (ActorRef | undefined)[] = [];
    const note = (): void => void seen.push(self());
    const made = await doers();
    const spec = {
      id: 'a',
      start: () => ({ logic: fromCallback(() => note), cleanUp: note }),
      restart: 'temporary' as const,
    };
    const asked = made.as(made.one, () => made.sup.startChild(spec));
    const { child } = await made.ask(asked as ReturnType<typeof made.sup.startChild>);
    await made.ask(made.as(made.one, () => made.sup.terminateChild('a')) as Promise<void>);
    expect(seen).toEqual([child, child]);
  });
});
