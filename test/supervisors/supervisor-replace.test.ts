import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../actors/ground/limits.ts';
import { ids, running, supervised } from './fake-child.ts';

describe('an ordered replacement', () => {
  it('kills the child and starts a new life, with the next epoch', () => {
    const { life, log, supervisor } = running(ids('a'));
    supervisor.replaceChild('a', 1, 'deadline');
    life('a').stopped({ type: 'killed' });
    expect(log).toEqual(['stop a brutal_kill', 'start a/2']);
  });

  it('never spends the restart budget', () => {
    const { life, supervisor, reason } = running(ids('a'), { maxRestarts: 0 });
    for (const epoch of [1, 2, 3]) {
      supervisor.replaceChild('a', epoch, 'deadline');
      life('a').stopped({ type: 'killed' });
      life('a').ready();
    }
    expect([life('a').epoch, reason()]).toEqual([4, []]);
  });

  it.each([
    ['for an epoch that is gone', 7, 'a'],
    ['for a child that is not there', 1, 'z'],
  ])('is ignored %s', (_what, epoch, id) => {
    const { log, supervisor } = running(ids('a'));
    supervisor.replaceChild(id, epoch, 'deadline');
    expect(log).toEqual([]);
  });

  it('is carried out once, however often it is ordered', () => {
    const { log, supervisor } = running(ids('a'));
    supervisor.replaceChild('a', 1, 'deadline');
    supervisor.replaceChild('a', 1, 'abort');
    expect(log).toEqual(['stop a brutal_kill']);
  });

  it('is told of as a decision', () => {
    const { decisions, supervisor } = running(ids('a'));
    supervisor.replaceChild('a', 1, 'deadline');
    expect(decisions).toMatchObject([{ child: 'a', verdict: 'replace', because: 'deadline' }]);
  });

  it('that comes with a stop of the supervisor starts nothing', () => {
    const { life, log, supervisor, stop } = running(ids('a'));
    supervisor.replaceChild('a', 1, 'deadline');
    stop();
    life('a').stopped({ type: 'killed' });
    expect(log).toEqual(['stop a brutal_kill', 'stop a 5000', 'told child.stopped']);
  });

  const exhausted = (...names: string[]) => {
    const setup = running(ids(...names));
    for (let epoch = 1; epoch <= LIMITS.replacementsMax + 1; epoch += 1) {
      setup.supervisor.replaceChild('a', epoch, 'deadline');
      setup.life('a').stopped({ type: 'killed' });
    }
    setup.log.length = 0;
    return setup;
  };

  it('waits when there were too many, until the window allows it', () => {
    const { clock, log } = exhausted('a');
    clock.advance(LIMITS.replacementPeriodMs - 1);
    const before = [...log];
    clock.advance(1);
    expect([before, log]).toEqual([[], [`start a/${LIMITS.replacementsMax + 2}`]]);
  });

  it('that waits is not carried out once the supervisor stops', () => {
    const { clock, log, life, stop } = exhausted('a', 'b');
    stop();
    clock.advance(2 * LIMITS.replacementPeriodMs);
    life('b').stopped();
    expect(log).toEqual(['stop b 5000', 'told child.stopped']);
  });

  it('of a child that is terminated meanwhile is off', () => {
    const { life, log, supervisor, ask } = running(ids('a'));
    supervisor.replaceChild('a', 1, 'deadline');
    const answers = ask({ op: 'terminateChild', child: 'a' });
    life('a').stopped({ type: 'killed' });
    expect([log, answers]).toEqual([['stop a brutal_kill', 'stop a 5000'], [undefined]]);
  });

  it('is done by the restart of its group when that comes meanwhile', () => {
    const { life, log, supervisor, ask } = running(ids('a', 'b'), { strategy: 'one_for_all' });
    supervisor.replaceChild('a', 1, 'deadline');
    life('b').crashed();
    life('a').stopped({ type: 'killed' });
    life('a').ready();
    life('b').ready();
    expect(log).toEqual(['stop a brutal_kill', 'stop a 5000', 'start a/2', 'restart b/2']);
    expect(ask({ op: 'countChildren' })).toMatchObject([{ active: 2 }]);
  });

  it('that waits is a restart to everybody who asks', () => {
    const { ask } = exhausted('a');
    const code = 'restarting';
    expect(ask({ op: 'whichChildren' })).toMatchObject([[{ id: 'a', child: code }]]);
    expect(ask({ op: 'restartChild', child: 'a' })).toMatchObject([{ code }]);
    expect(ask({ op: 'deleteChild', child: 'a' })).toMatchObject([{ code }]);
  });

  it('that waits is called off by terminateChild', () => {
    const { ask, clock, log } = exhausted('a');
    ask({ op: 'terminateChild', child: 'a' });
    ask({ op: 'restartChild', child: 'a' });
    clock.advance(2 * LIMITS.replacementPeriodMs);
    expect(log).toEqual([`start a/${LIMITS.replacementsMax + 2}`]);
  });

  it('is not for temporary children: they have no next life', () => {
    const { log, supervisor } = running([{ id: 'a', restart: 'temporary' }]);
    supervisor.replaceChild('a', 1, 'deadline');
    expect(log).toEqual([]);
  });

  it('of a child that was not ready gives its place among the concurrent starts back', () => {
    const specs = ['a', 'b'].map((id) => ({ id, ack: 'spawned' as const }));
    const { clock, life, log, supervisor } = supervised(specs, { maxConcurrentStarts: 1 });
    clock.poll();
    supervisor.replaceChild('a', 1, 'deadline');
    life('a').stopped({ type: 'killed' });
    life('b').ready();
    expect(log.filter((line) => line.startsWith('start'))).toEqual([
      'start a/1',
      'start b/1',
      'start a/2',
    ]);
  });
});
