import { describe, expect, it } from 'vitest';
import { Bus } from '../../actors/ground/bus.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { failAgain, std } from '../conformance/children.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { FakeChild, ids, running, supervised } from './fake-child.ts';

describe('while a restart waits for its child to be ready', () => {
  it('the crash of a sibling waits too, and is judged then', () => {
    const { life, log, decisions } = running(ids('a', 'b'));
    life('a').crashed();
    life('b').crashed();
    const before = [[...log], decisions.length];
    life('a').ready();
    expect(before).toEqual([['restart a/2'], 1]);
    expect([log, decisions.length]).toEqual([['restart a/2', 'restart b/2'], 2]);
  });

  it('a call waits too, and is answered then', () => {
    const { life, ask } = running(ids('a', 'b'));
    life('a').crashed();
    const answers = ask({ op: 'countChildren' });
    const before = [...answers];
    life('a').ready();
    const counts = { specs: 2, active: 2, supervisors: 0, workers: 2 };
    expect([before, answers]).toEqual([[], [counts]]);
  });

  it('a stop does not wait', () => {
    const { life, log, stop } = running(ids('a', 'b'));
    life('a').crashed();
    stop();
    expect(log).toEqual(['restart a/2', 'stop b 5000']);
  });

  it('a sibling that ends for good meanwhile is found dead by a stop, and not asked again', () => {
    const { life, log, stop, reason } = running(ids('a', 'b'));
    life('a').crashed();
    life('b').stopped({ type: 'killed' });
    stop();
    life('a').stopped();
    expect(log).toEqual(['restart a/2', 'stop a 5000', 'told child.stopped']);
    expect(reason()).toEqual([{ type: 'shutdown' }]);
  });
});

describe('a restart that fails', () => {
  const failed = (maxRestarts = 3) => {
    const setup = running(ids('a', 'b'), { maxRestarts });
    setup.life('a').crashed();
    setup.log.length = 0;
    setup.life('a').crashed({ type: 'exit_status', status: 2 });
    return setup;
  };

  it('is a start error, tried again with the next epoch by way of the event loop', () => {
    const { clock, log, reports } = failed();
    const before = [...log];
    clock.poll();
    expect([before, log]).toEqual([[], ['restart a/3']]);
    expect(reports.at(-1)).toMatchObject({
      ...{ errorContext: 'start_error', reason: { type: 'exit_status', status: 2 } },
    });
  });

  it('counts: each try is one more restart, until they are too many', () => {
    const { clock, life, decisions } = failed();
    for (let time = 0; time < 2; time += 1) {
      clock.poll();
      life('a').crashed();
    }
    clock.poll();
    const told = decisions.map(({ verdict, because, restartsInWindow }) => [
      ...[verdict, because, restartsInWindow],
    ]);
    expect(told).toEqual([
      ['restart', 'within the restart intensity', 1],
      ['restart', 'the start before failed', 2],
      ['restart', 'the start before failed', 3],
      ['give_up', 'reached_max_restart_intensity', 3],
    ]);
  });

  it('shows as restarting meanwhile, and is not counted as active', () => {
    const { ask, supervisor } = failed();
    expect(ask({ op: 'whichChild', child: 'a' })).toMatchObject([{ id: 'a', child: 'restarting' }]);
    expect(ask({ op: 'countChildren' })).toMatchObject([{ specs: 2, active: 1 }]);
    expect(supervisor.view().children[0]?.state).toBe('restarting');
  });

  it('is tried no more once the child is terminated, whose answer is ok', () => {
    const { clock, log, ask, decisions } = failed();
    const answers = ask({ op: 'terminateChild', child: 'a' });
    clock.poll();
    expect([answers, log, decisions.length]).toEqual([[undefined], ['stop a 5000'], 1]);
  });

  it('is tried no more once the supervisor stops', () => {
    const { clock, log, stop } = failed();
    stop();
    clock.poll();
    expect(log.filter((line) => line.startsWith('restart'))).toEqual([]);
  });

  it('leaves room for whoever is between two tries: siblings are judged meanwhile', () => {
    const { clock, life, log } = failed(4);
    life('b').crashed();
    clock.poll();
    life('b').ready();
    expect(log).toEqual(['restart b/2', 'restart a/3']);
  });
});

describe('failed starts in a row, as many as are allowed, end the supervisor', () => {
  const flags = { maxRestarts: 100 };
  const verdicts = ({ decisions }: ReturnType<typeof running>) =>
    decisions.map(({ verdict, because }) => (verdict === 'give_up' ? because : verdict));

  it('where the lifecycle ends for good each time, as a supervisor does', () => {
    const setup = running([{ id: 'a', maxConsecutiveStartFailures: 2 }], flags);
    for (let time = 0; time < 3; time += 1) {
      setup.life('a').stopped({ type: 'shutdown', detail: 'failed to start' });
      setup.clock.poll();
    }
    expect(verdicts(setup)).toEqual(['restart', 'restart', 'reached_max_start_failures']);
  });

  it('where its start counts when it is spawned, and it never becomes ready', () => {
    const spec = { id: 'a', ack: 'spawned', maxConsecutiveStartFailures: 2 } as const;
    const setup = running([spec], flags);
    for (let time = 0; time < 3; time += 1) {
      setup.life('a').stopped({ type: 'killed' });
      setup.clock.poll();
    }
    expect(verdicts(setup)).toEqual(['restart', 'restart', 'reached_max_start_failures']);
  });

  it('where the start throws', () => {
    let starts = 0;
    const log: string[] = [];
    const lives: FakeChild[] = [];
    const start = (order: ConstructorParameters<typeof FakeChild>[0]) => {
      starts += 1;
      if (starts > 1) throw new Error('no');
      const life = new FakeChild(order, log, new Bus());
      lives.push(life);
      return life;
    };
    const setup = supervised([{ id: 'a', start, maxConsecutiveStartFailures: 2 }], flags);
    lives[0]!.ready();
    lives[0]!.stopped({ type: 'killed' });
    setup.clock.poll();
    expect([starts, verdicts(setup)]).toEqual([
      3,
      ['restart', 'restart', 'reached_max_start_failures'],
    ]);
  });

  it('and a stop in a group is none of them', () => {
    const setup = running(
      [
        { id: 'a', ack: 'spawned', maxConsecutiveStartFailures: 1 },
        { id: 'b', ack: 'spawned' },
      ],
      { ...flags, strategy: 'one_for_all' },
    );
    for (let time = 0; time < 3; time += 1) {
      setup.life('b').crashed();
      setup.life('a').stopped({ type: 'killed' });
    }
    setup.life('a').ready();
    setup.life('a').crashed();
    expect(new Set(verdicts(setup))).toEqual(new Set(['restart']));
  });
});

describe('a restart that waits for its turn among the concurrent starts', () => {
  const waiting = () => {
    const specs = ['a', 'b'].map((id) => ({ id, ack: 'spawned' }) as const);
    const setup = supervised(specs, { maxConcurrentStarts: 1 });
    setup.life('a').ready();
    setup.life('b').ready();
    for (const id of ['a', 'b']) setup.life(id).crashed();
    return setup;
  };

  it('goes on in the lifecycle that has crashed, whose clean-up comes first', () => {
    const { life, log } = waiting();
    const before = [...log];
    life('a').ready();
    expect(before.slice(-1)).toEqual(['restart a/2']);
    expect(log.at(-1)).toBe('restart b/2');
  });

  it('is called off by a stop, and what has crashed is let go of', () => {
    const { life, log, stop } = waiting();
    log.length = 0;
    stop();
    life('a').stopped();
    expect(log).toEqual(['stop b 5000', 'stop a 5000', 'told child.stopped']);
  });
});

describe('a child that ends again while the start of another of its group fails', () => {
  const FAILED = { type: 'exit_status', status: 2 } as const;

  it('is restarted all the same', () => {
    const { clock, life, log } = running(ids('a', 'b'), { strategy: 'rest_for_one' });
    life('a').crashed();
    life('b').stopped();
    life('a').ready();
    life('a').crashed();
    log.length = 0;
    life('b').crashed(FAILED);
    life('a').ready();
    life('b').ready();
    clock.poll();
    expect(log).toEqual(['stop b 5000', 'restart a/3', 'start b/3']);
  });

  it('does not keep the supervisor from stopping, when nobody waits for its start', async () => {
    const virtual = virtualSystem();
    const failing = { id: 'b', start: failAgain() };
    const children = [{ id: 'a', start: std, ack: 'spawned' } as const, failing];
    const flags = { strategy: 'rest_for_one', maxRestarts: 2, children } as const;
    const sup = await virtual.settled(startSupervisor(flags, virtual));
    sup.children()[0]!.ref.send({ type: 'die' });
    await virtual.settle();
    expect(sup.ref.exitReason).toEqual({ type: 'shutdown' });
  });

  it('is down where its own start was not reached', () => {
    const { life, ask } = running(ids('a', 'b'), { strategy: 'one_for_all' });
    life('b').crashed();
    life('a').stopped();
    life('a').crashed(FAILED);
    expect(ask({ op: 'whichChildren' })).toMatchObject([
      [
        { id: 'b', child: undefined },
        { id: 'a', child: 'restarting' },
      ],
    ]);
  });
});
