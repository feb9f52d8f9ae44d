import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeChild, ids, running } from './fake-child.ts';

// XState throws an error that nobody listens for in a timer, which would end the process.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a crash of a child that answers its orders at once', () => {
  it.each(['temporary', 'transient'] as const)(
    'throws nothing into the void, where it would end the process: %s',
    (restart) => {
      const { life, facts } = running([{ id: 'a', restart }]);
      life('a').crashed({ type: 'normal' });
      expect([vi.getTimerCount(), facts.map(({ type }) => type)]).toEqual([0, ['child.ready']]);
    },
  );
});

describe('a child that throws when it is asked to stop', () => {
  const failing = () => {
    const setup = running(ids('a', 'b', 'c'));
    vi.spyOn(setup.life('b'), 'stop').mockImplementation(() => {
      throw new Error('impossible');
    });
    setup.stop();
    setup.life('c').stopped();
    return setup;
  };

  it('leaves none of its siblings running', () => {
    expect(failing().log).toEqual(['stop c 5000', 'stop a brutal_kill']);
  });

  it('is told upward as the error, once the others have stopped', () => {
    const { life, reason } = failing();
    const before = reason();
    life('a').stopped();
    expect([before, reason()]).toMatchObject([
      [],
      [{ type: 'error', error: { message: 'impossible' } }],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a throw inside a child', () => {
  beforeEach(() => {
    vi.spyOn(FakeChild.prototype, 'restart').mockImplementation(() => {
      throw new Error('impossible');
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const failing = () => {
    const setup = running(ids('a', 'b', 'c'));
    setup.life('b').crashed();
    return setup;
  };

  it('stops the whole subtree', () => {
    const { log } = failing();
    const stops = log.map((line) => line.slice(0, 'stop a'.length));
    expect(stops.sort()).toEqual(['stop a', 'stop b', 'stop c']);
  });

  it('is told upward as the error, once, and only when the subtree has stopped', () => {
    const { life, facts, reason } = failing();
    const before = facts.length;
    for (const id of ['c', 'b', 'a']) if (life(id).state !== 'stopped') life(id).stopped();
    expect(before).toBe(1);
    expect(reason()).toMatchObject([{ type: 'error', error: { message: 'impossible' } }]);
  });

  it('does not end the process that it runs in', () => {
    failing();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('shows the supervisor as stopped in the end', () => {
    const { life, supervisor } = failing();
    for (const id of ['c', 'b', 'a']) if (life(id).state !== 'stopped') life(id).stopped();
    expect([supervisor.state, supervisor.children()]).toEqual(['stopped', []]);
  });
});
