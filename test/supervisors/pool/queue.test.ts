import { describe, expect, it } from 'vitest';
import { encodeValue } from '../../../actors/port/codec.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { OverloadedError } from '../../../actors/ground/errors.ts';
import type { Leaving } from '../../../supervisors/pool/leaving.ts';
import { assertQueueRoom, bytesOf } from '../../../supervisors/pool/queue.ts';
import { queued, session, slot } from './queued.ts';

describe('waiting calls', () => {
  it('are taken in the order in which they came', () => {
    const { add, take } = queued();
    for (let calls = 0; calls < 3; calls += 1) add();
    expect([1, 2, 3, 4].map(() => take(slot()))).toEqual([1, 2, 3, undefined]);
  });

  it('are counted', () => {
    const { queue, add, take, settle } = queued();
    const first = add();
    add(session('s'));
    add();
    settle(first);
    take(slot());
    expect(queue.length).toBe(1);
  });

  it('are not taken once they are settled', () => {
    const { add, take, settle } = queued();
    const first = add();
    add();
    settle(first);
    expect([take(slot()), take(slot())]).toEqual([2, undefined]);
  });

  it('are all given back at the end', () => {
    const { queue, add } = queued();
    const bound = session('s', slot());
    const free = session('t');
    add();
    add(bound);
    add(free);
    add(free);
    const rows = queue.drain([bound, free]);
    expect([rows.map(({ seq }) => seq).sort(), queue.length]).toEqual([[1, 2, 3, 4], 0]);
  });
});

describe('the end of the queue', () => {
  const drained = () => {
    const setup = queued();
    const home = slot();
    const own = session('s', home);
    setup.add(own);
    setup.queue.drain([own]);
    return { ...setup, home, own };
  };

  it('leaves no place behind that a worker could take', () => {
    const { queue, take, home } = drained();
    expect([take(home), queue.length]).toEqual([undefined, 0]);
  });

  it('leaves a session idle that only waited', () => {
    expect(drained().own.phase).toBe('idle');
  });
});

describe('calls of one session', () => {
  it('are taken one at a time', () => {
    const { add, take } = queued();
    const own = session('s');
    add(own);
    add(own);
    expect([take(slot()), take(slot())]).toEqual([1, undefined]);
  });

  it('are taken in order, by the worker that the first one bound', () => {
    const { add, take, end } = queued();
    const own = session('s');
    const [home, other] = [slot(), slot()];
    add(own);
    add(own);
    take(home);
    end(own);
    expect([take(other), take(home)]).toEqual([undefined, 2]);
  });

  it('hold up nobody else while they wait for their own worker', () => {
    const { add, take } = queued();
    const home = slot();
    add(session('s', home));
    add();
    add(session('t'));
    expect([take(slot()), take(slot())]).toEqual([2, 3]);
  });

  it('come before later calls of others on their own worker', () => {
    const { add, take } = queued();
    const home = slot();
    add();
    add(session('s', home));
    add();
    expect([take(home), take(home), take(home)]).toEqual([1, 2, 3]);
  });

  it('may be taken by any worker once their own is gone', () => {
    const { queue, add, take } = queued();
    const home = slot();
    const own = session('s', home);
    add(own);
    own.slot = undefined;
    queue.move(own);
    expect(take(slot())).toBe(1);
  });

  it('wait behind earlier calls of others, also after one of them was given up', () => {
    const { add, take, settle } = queued();
    const own = session('s');
    const first = add(own);
    add();
    settle(first);
    add(own);
    expect([take(slot()), take(slot())]).toEqual([2, 3]);
  });
});

describe('calls of a session that need not have their own worker', () => {
  it.each(['preferred', 'none'] as const)('with affinity %s are taken by any', (affinity) => {
    const { add, take } = queued();
    add(session('s', slot()), affinity);
    expect(take(slot())).toBe(1);
  });

  it('are taken by their own, when they prefer it and cannot be made again elsewhere', () => {
    const { add, take } = queued('fail');
    const home = slot();
    add(Object.assign(session('s', home), { ranCount: 1 }), 'preferred');
    expect([take(slot()), take(home)]).toEqual([undefined, 1]);
  });

  it('come after one that needs it, in order', () => {
    const { add, take, settle } = queued();
    const own = session('s', slot());
    const first = add(own);
    add(own, 'none');
    const before = take(slot());
    settle(first);
    expect([before, take(slot())]).toEqual([undefined, 2]);
  });
});

describe('a worker that is on its way out', () => {
  const leaving = { leaving: {} as Leaving };

  it('is given what requires it, and nothing else', () => {
    const { add, take } = queued();
    const home = Object.assign(slot(), leaving);
    add();
    add(session('s', home));
    add();
    expect([take(home), take(home)]).toEqual([2, undefined]);
  });
});

describe('the bytes of waiting calls', () => {
  const text = 'x'.repeat(1_000);

  it('are counted from their coming to their going, however they go', () => {
    const { queue, add, take, retry, settle } = queued();
    const one = add(undefined, 'required', text);
    const seen = [queue.bytes];
    const own = session('s');
    const two = add(own, 'required', text);
    seen.push(queue.bytes);
    settle(two);
    seen.push(queue.bytes);
    take(slot());
    seen.push(queue.bytes);
    retry();
    seen.push(queue.bytes);
    add(own, 'required', text);
    queue.takeAllOf(own);
    seen.push(queue.bytes);
    queue.drain([own]);
    seen.push(queue.bytes);
    expect(seen.map((bytes) => bytes / one.bytes)).toEqual([1, 2, 1, 0, 1, 1, 0]);
  });

  it.each([
    ['a string', { a: 'x'.repeat(5_000) }],
    ['a list of numbers', { a: Array.from({ length: 600 }, () => 1) }],
    ['keys', Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`key ${1_000 + n}`, null]))],
    ['many parts, of which not all are looked at', { a: Array.from({ length: 20_000 }, () => 1) }],
    ['a segment', { a: new Uint8Array(5_000) }],
  ])('are at least about what %s takes', (_what, args) => {
    expect(bytesOf(encodeValue(args, 'args'))).toBeGreaterThan(4_800);
  });

  it('count the parts that are not looked at as those that are', () => {
    const text = 'x'.repeat(1_000);
    const all = { a: Array.from({ length: 30_000 }, () => text) };
    const bytes = bytesOf(encodeValue(all, 'args'));
    expect(bytes / 30_000).toBeCloseTo(1_008, -1);
  });
});

describe('room in the queue', () => {
  const options = { pool: 'p', queueLengthMax: 3, queueBytesMax: 1_000 } as never;
  const room = (queue: ReturnType<typeof queued>['queue'], args: object) => () =>
    assertQueueRoom(queue, 'op', encodeValue(args, 'args'), options);

  it('is refused beyond its length, by the name of the limit', () => {
    const { queue, add } = queued();
    for (let calls = 0; calls < 3; calls += 1) add();
    expect(room(queue, {})).toThrow(OverloadedError);
    expect(room(queue, {})).toThrow(/queueLengthMax.*3|3.*queueLengthMax/);
  });

  it('is refused beyond its bytes, by the name of the limit', () => {
    const { queue, add } = queued();
    add();
    expect(room(queue, { text: 'x'.repeat(1_000) })).toThrow(/queueBytesMax/);
    expect(room(queue, { text: 'x'.repeat(500) })).not.toThrow();
  });

  it('is given to one call that is larger than all of it, when it waits alone', () => {
    expect(room(queued().queue, { text: 'x'.repeat(10_000) })).not.toThrow();
  });

  it('is refused at a cost that does not grow with the queue: nothing in it is looked at', () => {
    const { queue } = queued();
    const length = { get: () => LIMITS.queueLengthMax };
    const looked: string[] = [];
    const watched = new Proxy(queue, {
      get: (_target, key) => {
        looked.push(String(key));
        return length.get();
      },
    });
    expect(room(watched, {})).toThrow(OverloadedError);
    expect(looked).toEqual(['length']);
  });
});
