import { describe, expect, it } from 'vitest';
import { ids, running, supervised } from './fake-child.ts';

describe('a child that crashes', () => {
  it('is restarted at once, with the next epoch', () => {
    const { life, log } = running(ids('a'));
    life('a').crashed();
    expect(log).toEqual(['restart a/2']);
  });

  it('is the only one that is touched', () => {
    const { life, log } = running(ids('a', 'b', 'c'));
    life('b').crashed();
    expect(log).toEqual(['restart b/2']);
  });

  it('is never given an epoch twice', () => {
    const { life, log } = running(ids('a'));
    for (const epoch of [1, 2, 3]) {
      life('a').crashed(undefined, epoch);
      life('a').ready();
    }
    expect(log).toEqual(['restart a/2', 'restart a/3', 'restart a/4']);
  });

  it('that ended for good without being asked gets a new life, with the next epoch', () => {
    const { life, log } = running(ids('a'));
    life('a').stopped({ type: 'error', error: new Error('its machine threw') });
    expect(log).toEqual(['start a/2']);
  });

  it('is told of, with all that the verdict was made from and what follows', () => {
    const { life, decisions } = running(ids('a', 'b'));
    life('a').crashed({ type: 'signal', signal: 'SIGSEGV' });
    expect(decisions).toEqual([
      {
        ...{ supervisor: 'sup', strategy: 'one_for_one', maxRestarts: 3, periodMs: 5_000 },
        ...{ child: 'a', epoch: 1, verdict: 'restart', restartsInWindow: 1 },
        reason: { type: 'signal', signal: 'SIGSEGV' },
        because: 'within the restart intensity',
        errorContext: 'child_terminated',
        offender: {
          ...{ pid: 'sup/a#1', id: 'a', path: 'sup/a', restart: 'permanent', type: 'worker' },
          ...{ significant: false, shutdown: 5_000 },
        },
        ...{ stops: [], starts: ['a'], delayMs: 0, next: 'start' },
      },
    ]);
  });

  it('is reported before it is restarted', () => {
    const { bus, life, log, reports } = running(ids('a'));
    bus.on('supervisor.reported', () => log.push('reported'));
    life('a').crashed({ type: 'killed' });
    expect(log).toEqual(['reported', 'restart a/2']);
    expect(reports).toMatchObject([
      {
        ...{ errorContext: 'child_terminated', reason: { type: 'killed' } },
        offender: { id: 'a', pid: 'sup/a#1' },
      },
    ]);
  });
});

describe('a child that ends while its siblings still start', () => {
  const ended = (restart: 'permanent' | 'temporary') => {
    const setup = supervised([{ id: 'a', ack: 'spawned', restart }, { id: 'b' }]);
    setup.clock.poll();
    setup.life('a').crashed();
    setup.life('a').stopped();
    setup.log.length = 0;
    setup.life('b').ready();
    return setup;
  };

  it('is judged once, however many times its end is told', () => {
    expect(ended('permanent').log).toEqual(['told child.ready', 'start a/2']);
  });

  it('is removed once', () => {
    const { log, decisions, supervisor } = ended('temporary');
    expect([log, decisions.map(({ verdict }) => verdict)]).toEqual([
      ['told child.ready'],
      ['remove'],
    ]);
    expect(supervisor.state).toBe('ready');
  });
});

describe('facts of an old epoch', () => {
  it('are ignored', () => {
    const { life, log } = running(ids('a'));
    life('a').crashed();
    log.length = 0;
    life('a').ready(1);
    life('a').crashed(undefined, 1);
    life('a').stopped(undefined, 1);
    expect(log).toEqual([]);
  });
});

describe('past its intensity, a supervisor', () => {
  const twice = (setup: ReturnType<typeof running>) => {
    setup.life('b').crashed();
    setup.life('b').ready();
    setup.log.length = 0;
    setup.life('b').crashed();
  };
  const flags = { maxRestarts: 1, periodMs: 5_000 };

  it('stops the others in reverse and then ends with shutdown', () => {
    const setup = running(ids('a', 'b', 'c'), flags);
    twice(setup);
    setup.life('c').stopped();
    setup.life('a').stopped();
    expect(setup.log.filter((line) => !line.startsWith('stop b'))).toEqual([
      'stop c 5000',
      'stop a 5000',
      'told child.stopped',
    ]);
    expect(setup.reason()).toEqual([{ type: 'shutdown' }]);
  });

  it('reports who was one too many, and tells who is stopped in which order', () => {
    const setup = running(ids('a', 'b', 'c'), flags);
    twice(setup);
    expect(setup.reports.at(-1)).toMatchObject({
      ...{ errorContext: 'shutdown', reason: 'reached_max_restart_intensity' },
      offender: { id: 'b', pid: 'sup/b#2' },
    });
    expect(setup.decisions.at(-1)).toMatchObject({
      ...{ child: 'b', verdict: 'give_up', stops: ['c', 'a'], starts: [], restartsInWindow: 1 },
    });
  });

  it('does not perform the restart that was one too many', () => {
    const setup = running(ids('a', 'b'), flags);
    twice(setup);
    expect(setup.log.some((line) => line.startsWith('restart'))).toBe(false);
  });

  it('tells whoever asked, once, before a child is stopped', () => {
    const told: unknown[] = [];
    const setup = running(ids('a', 'b'), {
      ...flags,
      onGiveUp: (because, last) => told.push(because, last, setup.log.length),
    });
    twice(setup);
    const last = { type: 'exit_status', status: 1 };
    expect(told).toEqual(['reached_max_restart_intensity', last, 0]);
  });

  it('has forgotten restarts that are older than the window', () => {
    const { clock, life, log } = running(ids('a'), flags);
    life('a').crashed();
    life('a').ready();
    clock.advance(5_001);
    life('a').crashed();
    expect(log).toEqual(['restart a/2', 'restart a/3']);
  });

  it('counts the restarts of all its children together', () => {
    const { life, decisions } = running(ids('a', 'b'), flags);
    life('a').crashed();
    life('b').crashed();
    life('a').ready();
    expect(decisions.map(({ child, verdict }) => [child, verdict])).toEqual([
      ['a', 'restart'],
      ['b', 'give_up'],
    ]);
  });
});

describe('failed starts in a row', () => {
  const spec = { id: 'a', ack: 'spawned', maxConsecutiveStartFailures: 3 } as const;
  const flags = { maxRestarts: 100 };

  it('end the supervisor when they are as many as allowed, however slow', () => {
    const { clock, life, decisions } = supervised([spec], flags);
    clock.poll();
    for (let time = 0; time < 3; time += 1) {
      clock.advance(60_000);
      life('a').crashed();
    }
    expect(decisions.map(({ verdict, because }) => [verdict, because]).at(-1)).toEqual([
      'give_up',
      'reached_max_start_failures',
    ]);
    expect(decisions).toHaveLength(3);
  });

  it('are counted anew once a start has succeeded', () => {
    const { clock, life, decisions } = supervised([spec], flags);
    clock.poll();
    for (let round = 0; round < 3; round += 1) {
      life('a').crashed();
      life('a').crashed();
      life('a').ready();
      life('a').crashed();
      life('a').ready();
    }
    expect(new Set(decisions.map(({ verdict }) => verdict))).toEqual(new Set(['restart']));
  });
});

describe('a temporary child', () => {
  it('is removed when it crashes, and nothing else happens', () => {
    const { life, supervisor, decisions, reason } = running([
      { id: 'a', restart: 'temporary' },
      { id: 'b' },
    ]);
    life('a').crashed();
    expect(supervisor.children().map(({ id }) => id)).toEqual(['b']);
    expect([decisions.map(({ verdict }) => verdict), reason()]).toEqual([['remove'], []]);
  });

  it('is removed when it has ended for good', () => {
    const { life, supervisor, log } = running([{ id: 'a', restart: 'temporary' }]);
    life('a').stopped();
    expect([supervisor.children(), supervisor.state, log]).toEqual([[], 'ready', []]);
  });
});

describe('a transient child', () => {
  it('is kept down when it ended normally, which is decided once', () => {
    const { life, supervisor, decisions } = running([{ id: 'a', restart: 'transient' }]);
    life('a').crashed({ type: 'normal' });
    expect([supervisor.children(), decisions.map(({ verdict }) => verdict)]).toEqual([
      [],
      ['keep_down'],
    ]);
  });

  it('is restarted when it crashed', () => {
    const { life, log } = running([{ id: 'a', restart: 'transient' }]);
    life('a').crashed();
    expect(log).toEqual(['restart a/2']);
  });
});
