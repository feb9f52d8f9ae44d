import { describe, expect, it } from 'vitest';
import { Bus } from '../../../actors/ground/bus.ts';
import { isActorName, makeVia, nameText, Names } from '../../../actors/lifecycle/names.ts';
import { Incarnation } from '../../../actors/lifecycle/ref.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const ports = { clock: new VirtualClock(), bus: new Bus() };
const incarnation = (id: string) =>
  new Incarnation({ id, path: `sup/${id}`, epoch: 1 }, ports, () => undefined);

describe('a name', () => {
  it('is found while its holder lives', () => {
    const names = new Names();
    const ref = incarnation('a');
    expect(names.claim('n', () => ref)).toBeUndefined();
    const before = names.whereis('n');
    ref.end({ type: 'normal' });
    expect([before, names.whereis('n')]).toEqual([ref, undefined]);
  });

  it('is found at the present incarnation of its holder', () => {
    const names = new Names();
    let ref: Incarnation | undefined = incarnation('a');
    names.claim('n', () => ref);
    const next = incarnation('a');
    ref = next;
    const found = names.whereis('n');
    ref = undefined;
    expect([found, names.whereis('n')]).toEqual([next, undefined]);
  });

  it('that nobody has is found nowhere', () => {
    expect(new Names().whereis('n')).toBeUndefined();
  });

  it('that another has is refused with its reference, and nothing changes', () => {
    const names = new Names();
    const [first, second] = [incarnation('a'), incarnation('b')];
    names.claim('n', () => first);
    expect([names.claim('n', () => second), names.whereis('n')]).toEqual([first, first]);
  });

  it('of the dead is free', () => {
    const names = new Names();
    const [first, second] = [incarnation('a'), incarnation('b')];
    names.claim('n', () => first);
    first.end({ type: 'killed' });
    expect([names.claim('n', () => second), names.whereis('n')]).toEqual([undefined, second]);
  });

  it('is its own holder’s to take again', () => {
    const names = new Names();
    const ref = incarnation('a');
    const holder = () => ref;
    names.claim('n', holder);
    expect([names.claim('n', holder), names.whereis('n')]).toEqual([undefined, ref]);
  });

  it('is given back by its holder only', () => {
    const names = new Names();
    const ref = incarnation('a');
    const holder = () => ref;
    names.claim('n', holder);
    names.release('n', () => ref);
    const before = names.whereis('n');
    names.release('n', holder);
    expect([before, names.whereis('n')]).toEqual([ref, undefined]);
  });

  it('is listed while its holder lives, in the order in which names were taken', () => {
    const names = new Names();
    const refs = ['c', 'a', 'b'].map(incarnation);
    for (const ref of refs) names.claim(ref.id, () => ref);
    refs[1]!.end({ type: 'normal' });
    expect(names.registered()).toEqual(['c', 'b']);
  });
});

describe('a name that is kept elsewhere', () => {
  const kept = () => {
    const names = new Names();
    const ref = incarnation('a');
    const asked: unknown[] = [];
    const via = makeVia({
      label: 'elsewhere',
      whereis: (table) => {
        asked.push(['whereis', table]);
        return ref;
      },
      claim: (table, holder) => {
        asked.push(['claim', table, holder]);
        return undefined;
      },
      bind: () => undefined,
      release: (table, holder) => {
        asked.push(['release', table, holder]);
      },
    });
    return { names, ref, via, asked };
  };

  it('is asked for there', () => {
    const { names, ref, via, asked } = kept();
    const holder = () => ref;
    expect([names.claim(via, holder), names.whereis(via)]).toEqual([undefined, ref]);
    names.release(via, holder);
    expect(asked).toEqual([
      ['claim', names, holder],
      ['whereis', names],
      ['release', names, holder],
    ]);
    expect(names.registered()).toEqual([]);
  });

  it('is a name, and so is every text but the empty one', () => {
    const { via } = kept();
    expect([via, 'n', '', {}, null, undefined, 7].map(isActorName)).toEqual([
      ...[true, true, false, false, false, false, false],
    ]);
    expect([nameText(via), nameText('n')]).toEqual(['elsewhere', 'n']);
  });
});
