import { describe, expect, it } from 'vitest';
import { Bus, type BusEvents } from '../../../actors/ground/bus.ts';
import { Incarnation, incarnationOf, type ActorRef } from '../../../actors/lifecycle/ref.ts';
import { heldOf } from '../../support/collector.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

function setup() {
  const bus = new Bus();
  const log: string[] = [];
  const dead: BusEvents['letter.dead'][] = [];
  bus.on('letter.dead', (event) => dead.push(event));
  const address = { id: 'a', path: 'sup/a', epoch: 3 };
  const ref = new Incarnation(address, { clock: new VirtualClock(), bus }, ({ type }) =>
    log.push(type),
  );
  return { ref, log, dead };
}

function disposable() {
  const made = { log: [] as string[] };
  const ports = { clock: new VirtualClock(), bus: new Bus() };
  const deliver = ({ type }: { readonly type: string }): void => void made.log.push(type);
  const quit = ({ type }: { readonly type: string }): void => void made.log.push(type);
  const ref = new Incarnation({ id: 'a', path: 'sup/a', epoch: 1 }, ports, deliver, quit);
  return { ref, made: new WeakRef(made) };
}

describe('a reference', () => {
  it('names one incarnation', () => {
    const { ref } = setup();
    expect([ref.id, ref.path, ref.epoch, ref.exitReason]).toEqual(['a', 'sup/a', 3, undefined]);
  });

  it('delivers in order while it lives, and afterwards counts dead letters and delivers nothing', () => {
    const { ref, log, dead } = setup();
    ref.send({ type: 'one' });
    ref.send({ type: 'two' });
    ref.end({ type: 'normal' });
    ref.send({ type: 'three' });
    expect([log, dead]).toEqual([['one', 'two'], [{ path: 'sup/a', epoch: 3, event: 'three' }]]);
  });

  it('ends once: a second reason changes nothing', () => {
    const { ref, log } = setup();
    ref.whenEnded((reason) => log.push(reason.type));
    ref.end({ type: 'killed' });
    ref.end({ type: 'normal' });
    expect([ref.exitReason, log]).toEqual([{ type: 'killed' }, ['killed']]);
  });

  it('shows its reason to those who hear of its end, in the order in which they asked', () => {
    const { ref } = setup();
    const heard: unknown[] = [];
    ref.whenEnded(() => heard.push(['first', ref.exitReason?.type]));
    ref.whenEnded(() => heard.push(['second', ref.exitReason?.type]));
    ref.end({ type: 'killed' });
    expect(heard).toEqual([
      ['first', 'killed'],
      ['second', 'killed'],
    ]);
  });

  it('tells nobody who has taken that back', () => {
    const { ref, log } = setup();
    const takeBack = ref.whenEnded(() => log.push('told'));
    takeBack();
    takeBack();
    ref.end({ type: 'killed' });
    takeBack();
    expect(log).toEqual([]);
  });

  it('of the dead holds nothing of what it was made of', async () => {
    const { ref, made } = disposable();
    const before = await heldOf([made], 1);
    ref.end({ type: 'killed' });
    ref.send({ type: 'too late' });
    expect([before, await heldOf([made]), ref.quit({ type: 'killed' })]).toEqual([1, 0, false]);
  });

  it('of our own making is one, and nothing that looks like it', () => {
    const { ref } = setup();
    const forged: ActorRef = {
      ...{ id: 'a', path: 'sup/a', epoch: 3, exitReason: undefined },
      send: () => undefined,
    };
    expect(incarnationOf(ref)).toBe(ref);
    expect(() => incarnationOf(forged)).toThrow(/an ActorRef is expected/u);
  });
});
