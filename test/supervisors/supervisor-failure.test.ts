import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bus } from '../../actors/ground/bus.ts';
import { lifecycleStart, type LifePorts } from '../../actors/lifecycle/child.ts';
import { Names } from '../../actors/lifecycle/names.ts';
import { nestedSupervisor } from '../../supervisors/start-supervisor.ts';
import { checkFlags } from '../../supervisors/supervisor-flags.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { FakeChild, ids, running, supervised } from './fake-child.ts';

// XState throws an error that nobody listens for in a timer, which would end the process.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const PORTS: LifePorts = {
  ...{ clock: new VirtualClock(), bus: new Bus(), names: new Names() },
  random: { next: () => 0.5 },
};

const impossible = () => {
  throw new Error('impossible');
};
const IMPOSSIBLE = { type: 'error', error: { message: 'impossible' } };

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
    vi.spyOn(setup.life('b'), 'stop').mockImplementation(impossible);
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
    expect([before, reason()]).toMatchObject([[], [IMPOSSIBLE]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** Slips of a supervisor's own code, or of code that runs as part of it. */
const SLIPS = {
  'an observer of its giving up': () => {
    const setup = running(ids('a', 'b', 'c'), { maxRestarts: 0, onGiveUp: impossible });
    setup.life('b').crashed();
    return setup;
  },
  'a judge of reasons': () => {
    const [a, b, c] = ids('a', 'b', 'c');
    const setup = running([a!, { ...b!, isRetryable: impossible }, c!]);
    setup.life('b').crashed();
    return setup;
  },
  'an order of its machine': () => {
    // The source of chance throws: the wait before the restart cannot be drawn.
    const random = { next: impossible };
    const setup = running(ids('a', 'b', 'c'), { backoff: { minMs: 1, maxMs: 1 } }, { random });
    setup.life('b').crashed();
    return setup;
  },
};
type Slip = keyof typeof SLIPS;

describe.each(Object.keys(SLIPS) as readonly Slip[])('a throw of %s', (slip) => {
  const failing = () => SLIPS[slip]();
  const endAll = ({ life }: ReturnType<typeof failing>) => {
    for (const id of ['c', 'b', 'a']) if (life(id).state !== 'stopped') life(id).stopped();
  };

  it('stops the whole subtree', () => {
    const { log } = failing();
    const stops = log.map((line) => line.slice(0, 'stop a'.length));
    expect(stops.sort()).toEqual(['stop a', 'stop b', 'stop c']);
  });

  it('is told upward as the error, once, and only when the subtree has stopped', () => {
    const setup = failing();
    const before = setup.facts.length;
    endAll(setup);
    expect([before, setup.reason()]).toMatchObject([1, [IMPOSSIBLE]]);
  });

  it('does not end the process that it runs in', () => {
    endAll(failing());
    expect(vi.getTimerCount()).toBe(0);
  });

  it('shows the supervisor as stopping, and as stopped in the end', () => {
    const setup = failing();
    const before = setup.supervisor.state;
    endAll(setup);
    const { state } = setup.supervisor;
    expect([before, state, setup.supervisor.children()]).toEqual(['stopping', 'stopped', []]);
  });

  it('leaves no call without an answer, whenever it comes', () => {
    const setup = failing();
    const during = setup.ask({ op: 'countChildren' });
    endAll(setup);
    const after = setup.ask({ op: 'countChildren' });
    expect([during, after]).toMatchObject([[{ code: 'noproc' }], [{ code: 'noproc' }]]);
  });

  it('leaves no timer', () => {
    const setup = failing();
    endAll(setup);
    expect(setup.clock.pending).toBe(0);
  });

  it('is not undone by an order to stop', () => {
    const setup = failing();
    setup.stop();
    endAll(setup);
    expect(setup.reason()).toMatchObject([IMPOSSIBLE]);
  });
});

describe('a throw while it starts', () => {
  it('stops those that had started, and is told upward as the error', () => {
    const setup = supervised(ids('a', 'b'), {}, { upward: (type) => type === 'child.ready' });
    setup.life('a').ready();
    setup.life('b').ready();
    setup.life('b').stopped();
    setup.life('a').stopped();
    expect(setup.reason()).toMatchObject([{ type: 'error', error: { message: 'not heard' } }]);
  });
});

describe('a restart that throws', () => {
  const failing = () => {
    const setup = running(ids('a', 'b', 'c'));
    vi.spyOn(FakeChild.prototype, 'restart').mockImplementation(impossible);
    setup.life('b').crashed();
    return setup;
  };

  it('is a start that failed: the supervisor goes on, and so do the siblings', () => {
    const { log, supervisor, reports } = failing();
    expect([log, supervisor.state]).toEqual([[], 'ready']);
    expect(reports.at(-1)).toMatchObject({ errorContext: 'start_error', reason: IMPOSSIBLE });
  });

  it('is tried again, within the intensity and no further', () => {
    const { clock, decisions } = failing();
    clock.poll();
    expect(decisions.map(({ verdict }) => verdict)).toEqual([
      ...['restart', 'restart', 'restart', 'give_up'],
    ]);
  });

  it('in the end stops the others in reverse, and the supervisor ends with shutdown', () => {
    const { clock, life, log, reason } = failing();
    clock.poll();
    life('c').stopped();
    life('a').stopped();
    expect(log.filter((line) => !line.startsWith('stop b'))).toEqual([
      ...['stop c 5000', 'stop a 5000', 'told child.stopped'],
    ]);
    expect(reason()).toEqual([{ type: 'shutdown' }]);
  });

  it('gives back its place among the concurrent starts', () => {
    const { clock, life, log } = running([{ id: 'a', ack: 'spawned' }], { maxConcurrentStarts: 1 });
    vi.spyOn(FakeChild.prototype, 'restart').mockImplementationOnce(impossible);
    life('a').crashed();
    clock.poll();
    expect(log).toEqual(['restart a/3']);
  });

  it('succeeds as soon as it does not throw', () => {
    const { clock, life, log, supervisor } = failing();
    vi.restoreAllMocks();
    clock.poll();
    life('b').ready();
    expect([log, supervisor.children().length]).toEqual([['restart b/3'], 3]);
  });
});

describe('a failure while somebody who was let go of still cleans up', () => {
  const failing = () => {
    const setup = running([{ id: 'a' }, { id: 'b', restart: 'temporary' }], {
      maxRestarts: 0,
      onGiveUp: impossible,
    });
    setup.life('b').cleanUp = 'slow';
    setup.life('b').crashed();
    setup.life('a').crashed();
    return setup;
  };

  it('is told upward only when that is over', () => {
    const { life, reason, supervisor, log } = failing();
    const before = [reason(), supervisor.state];
    life('b').stopped();
    expect([before, reason(), supervisor.state]).toMatchObject([
      [[], 'stopping'],
      [IMPOSSIBLE],
      'stopped',
    ]);
    expect(log).toContain('stop b brutal_kill');
  });

  it('does not take its end for the end of its successor', () => {
    const setup = running(ids('a', 'b'), { maxRestarts: 1, onGiveUp: impossible });
    const old = setup.life('a');
    old.cleanUp = 'slow';
    for (let time = 0; time < 2; time += 1) old.crashed();
    setup.ask({ op: 'terminateChild', child: 'a' });
    setup.ask({ op: 'restartChild', child: 'a' });
    setup.life('a').ready();
    setup.life('b').crashed();
    old.stopped();
    const before = [setup.reason(), setup.supervisor.children().length];
    setup.life('a').stopped();
    expect([before, setup.reason()]).toMatchObject([[[], 1], [IMPOSSIBLE]]);
  });
});

describe('a failing supervisor under another one', () => {
  it('is waited for by a stop of the one above: nobody is left behind', () => {
    const inner: FakeChild[] = [];
    const stops: string[] = [];
    const nested = nestedSupervisor(
      checkFlags(
        {
          maxRestarts: 0,
          children: ids('a', 'b').map(({ id }) => ({
            id,
            start: lifecycleStart('worker', () => (order) => {
              const life = new FakeChild(order, stops, new Bus());
              inner.push(life);
              return life;
            }),
          })),
        },
        { onGiveUp: impossible },
      ),
    );
    const outer = supervised([{ id: 'sub', start: (order) => nested.make(PORTS)(order) }]);
    for (const life of inner) life.ready();
    inner[1]!.crashed();
    outer.stop();
    const before = outer.reason();
    inner[0]!.stopped();
    expect([before, outer.reason()]).toEqual([[], [{ type: 'shutdown' }]]);
  });
});
