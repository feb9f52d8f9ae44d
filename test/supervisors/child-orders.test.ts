// What may the maker of a supervisor order of one child, beside whatever is under way, and who restarts it then?
import { describe, expect, it } from 'vitest';
import { ids, running, supervised } from './fake-child.ts';

const TEMPORARY = [{ id: 'a', restart: 'temporary' as const, ack: 'spawned' as const }];

describe('a child that is ordered to be removed', () => {
  const remove = { type: 'remove', shutdown: 500, because: 'idle' } as const;

  it('is stopped within the time that the order gives it, and forgotten then', () => {
    const { life, log, supervisor, ask } = running(ids('a', 'b'));
    supervisor.orderChild('a', remove);
    const before = ask({ op: 'countChildren' });
    life('a').stopped();
    expect(log).toEqual(['stop a 500']);
    expect([before, ask({ op: 'countChildren' })]).toMatchObject([[{ specs: 2 }], [{ specs: 1 }]]);
  });

  it('holds nobody up while it takes its time', () => {
    const { life, log, supervisor, ask } = running(ids('a', 'b'));
    supervisor.orderChild('a', remove);
    life('b').crashed();
    life('b').ready();
    expect(log).toEqual(['stop a 500', 'restart b/2']);
    expect(ask({ op: 'whichChild', child: 'b' })).toMatchObject([{ child: { epoch: 2 } }]);
  });

  it('is not restarted, and spends no budget, whatever ends it', () => {
    const { life, log, supervisor, reason } = running(ids('a'), { maxRestarts: 0 });
    supervisor.orderChild('a', remove);
    life('a').crashed();
    expect([log, reason()]).toEqual([['stop a 500', 'stop a 5000'], []]);
  });

  it('is forgotten at once when it has crashed and nobody has judged that yet', () => {
    const { life, supervisor, ask, reason } = running(ids('a'), { maxRestarts: 0 });
    life('a').state = 'crashed';
    supervisor.orderChild('a', remove);
    life('a').crashed();
    expect([ask({ op: 'whichChildren' }), reason()]).toEqual([[[]], []]);
  });

  it('is removed instead of replaced when both were ordered', () => {
    const { life, log, supervisor } = running(ids('a'));
    supervisor.replaceChild('a', 1, 'deadline');
    supervisor.orderChild('a', remove);
    life('a').stopped({ type: 'killed' });
    expect(log).toEqual(['stop a brutal_kill', 'stop a 500']);
  });

  it('is killed by a second order that says so, and told of as one decision', () => {
    const { log, supervisor, decisions } = running(ids('a'));
    supervisor.orderChild('a', remove);
    supervisor.orderChild('a', { ...remove, shutdown: 'brutal_kill' });
    expect(log).toEqual(['stop a 500', 'stop a brutal_kill']);
    expect(decisions).toMatchObject([{ child: 'a', verdict: 'remove', because: 'idle' }]);
  });

  it('never starts when it waits for its turn', () => {
    const specs = ['a', 'b'].map((id) => ({ id, ack: 'spawned' as const }));
    const { clock, life, log, supervisor } = supervised(specs, { maxConcurrentStarts: 1 });
    clock.poll();
    supervisor.orderChild('b', remove);
    life('a').ready();
    expect(log.filter((line) => line.startsWith('start'))).toEqual(['start a/1']);
  });

  it('gives its place among the concurrent starts back', () => {
    const specs = ['a', 'b'].map((id) => ({ id, ack: 'spawned' as const }));
    const { clock, life, log, supervisor } = supervised(specs, { maxConcurrentStarts: 1 });
    clock.poll();
    supervisor.orderChild('a', remove);
    life('a').stopped();
    expect(log.filter((line) => line.startsWith('start'))).toEqual(['start a/1', 'start b/1']);
  });

  it('is waited for when the supervisor stops meanwhile', () => {
    const { life, log, supervisor, stop } = running(ids('a'));
    supervisor.orderChild('a', remove);
    stop();
    const before = [...log];
    life('a').stopped();
    expect([before, log.at(-1)]).toEqual([['stop a 500', 'stop a 5000'], 'told child.stopped']);
  });

  it('is nobody when it is not there', () => {
    const { log, supervisor } = running(ids('a'));
    supervisor.orderChild('z', remove);
    expect(log).toEqual([]);
  });

  it('may be started again under its id, with an epoch that the map of epochs begins anew', () => {
    const epochs = new Map<string, number>();
    const { life, supervisor } = running(ids('a'), { epochs });
    const before = [...epochs];
    supervisor.orderChild('a', remove);
    life('a').stopped();
    expect([before, [...epochs]]).toEqual([[['a', 1]], []]);
  });
});

describe('a child that is adopted', () => {
  it('is restarted from then on, though it was temporary', () => {
    const { life, log, supervisor } = running(TEMPORARY);
    supervisor.orderChild('a', { type: 'adopt', restart: 'permanent' });
    life('a').crashed();
    expect(log).toEqual(['restart a/2']);
  });

  it('spends no budget before: it is forgotten, and the supervisor goes on', () => {
    const { life, ask, reason } = running(TEMPORARY, { maxRestarts: 0 });
    life('a').crashed();
    expect([ask({ op: 'whichChildren' }), reason()]).toEqual([[[]], []]);
  });

  it('spends the budget after', () => {
    const { life, supervisor, reason } = running(TEMPORARY, { maxRestarts: 0 });
    supervisor.orderChild('a', { type: 'adopt', restart: 'permanent' });
    life('a').crashed();
    expect(reason()).toEqual([{ type: 'shutdown' }]);
  });

  it('is let go of by being made temporary again', () => {
    const { life, log, supervisor, reason } = running(ids('a'), { maxRestarts: 0 });
    supervisor.orderChild('a', { type: 'adopt', restart: 'temporary' });
    life('a').crashed();
    expect([log, reason()]).toEqual([['stop a 5000'], []]);
  });

  it('is judged as it is when its end is judged, not as it was when it ended', () => {
    const specs = [...TEMPORARY, { id: 'b' }];
    const { life, log, supervisor, ask } = running(specs);
    ask({ op: 'terminateChild', child: 'b' });
    life('a').crashed();
    supervisor.orderChild('a', { type: 'adopt', restart: 'permanent' });
    life('b').stopped();
    expect(log).toEqual(['stop b 5000', 'restart a/2']);
  });
});
