import { describe, expect, it } from 'vitest';
import { ids, supervised } from './fake-child.ts';

const started = (...names: readonly string[]) => {
  const setup = supervised(ids(...names));
  setup.clock.poll();
  return setup;
};

describe('a start', () => {
  it('begins in the constructor, and no turn later', () => {
    expect(supervised(ids('a', 'b')).log).toEqual(['start a/1']);
  });

  it('waits for each child to be ready before the next begins', () => {
    const { log } = started('a', 'b');
    expect(log).toEqual(['start a/1']);
  });

  it('goes through the children in order, and is told when the last is ready', () => {
    const { life, log } = started('a', 'b');
    life('a').ready();
    life('b').ready();
    expect(log).toEqual(['start a/1', 'start b/1', 'told child.ready']);
  });

  it('does not wait for children whose start counts when they are spawned', () => {
    const { clock, log } = supervised([
      { id: 'a', ack: 'spawned' },
      { id: 'b', ack: 'spawned' },
    ]);
    clock.poll();
    expect(log).toEqual(['start a/1', 'start b/1', 'told child.ready']);
  });

  it('of no children is done at once', () => {
    expect(started().log).toEqual(['told child.ready']);
  });

  it('names children by the path of their supervisor', () => {
    const paths: string[] = [];
    const start = (given: { readonly path: string }) => {
      paths.push(given.path);
      throw new Error('enough');
    };
    supervised([{ id: 'a', start }]).clock.poll();
    expect(paths).toEqual(['sup/a']);
  });

  it('shows as spawning until it is done, then as ready', () => {
    const { supervisor, life } = started('a');
    const before = supervisor.state;
    life('a').ready();
    expect([before, supervisor.state]).toEqual(['spawning', 'ready']);
  });
});

describe('a start that fails', () => {
  it('stops those that had started, in reverse, and starts no other', () => {
    const { life, log } = started('a', 'b', 'c', 'd');
    life('a').ready();
    life('b').ready();
    log.length = 0;
    life('c').crashed();
    life('b').stopped();
    life('a').stopped();
    expect(log.filter((line) => !line.startsWith('stop c'))).toEqual([
      'stop b 5000',
      'stop a 5000',
      'told child.stopped',
    ]);
  });

  it('ends with {shutdown, failed_to_start_child}, the child and its reason', () => {
    const { life, reason } = started('a');
    life('a').crashed({ type: 'exit_status', status: 3 });
    const detail = { failed_to_start_child: 'a', reason: { type: 'exit_status', status: 3 } };
    expect(reason()).toEqual([{ type: 'shutdown', detail }]);
  });

  it('because it throws ends the same way, with the error', () => {
    const error = new Error('no');
    const start = () => {
      throw error;
    };
    const { clock, life, reason, log } = supervised([{ id: 'a' }, { id: 'b', start }]);
    clock.poll();
    life('a').ready();
    life('a').stopped();
    const detail = { failed_to_start_child: 'b', reason: { type: 'error', error } };
    expect(reason()).toEqual([{ type: 'shutdown', detail }]);
    expect(log).toEqual(['start a/1', 'stop a 5000', 'told child.stopped']);
  });

  it('is no crash: it spends no restart, nor is it tried again', () => {
    const { clock, life, decisions, log } = started('a');
    life('a').crashed();
    clock.advance(60_000);
    expect(log).toEqual(['start a/1', 'stop a 5000', 'told child.stopped']);
    expect(decisions).toMatchObject([
      {
        ...{ child: 'a', verdict: 'start_failed', because: 'a child did not start', next: 'end' },
        ...{ restartsInWindow: 0, starts: [] },
      },
    ]);
  });

  it('is reported as a start error, with the child that offended, who has no incarnation', () => {
    const { life, reports } = started('a', 'b');
    life('a').ready();
    life('b').crashed({ type: 'exit_status', status: 3 });
    expect(reports).toEqual([
      {
        supervisor: 'sup',
        errorContext: 'start_error',
        reason: { type: 'exit_status', status: 3 },
        offender: {
          ...{ pid: undefined, id: 'b', path: 'sup/b', restart: 'permanent', significant: false },
          ...{ shutdown: 5_000, type: 'worker' },
        },
      },
    ]);
  });
});

describe('a child that crashes while a later one starts', () => {
  it('is judged once the start is over', () => {
    const { life, log } = started('a', 'b');
    life('a').ready();
    life('a').crashed();
    life('b').ready();
    expect(log).toContain('restart a/2');
  });

  it('still waits while that one starts: what is under way comes first', () => {
    const { life, log, decisions } = started('a', 'b');
    life('a').ready();
    life('a').crashed();
    expect([log, decisions]).toEqual([['start a/1', 'start b/1'], []]);
  });
});

describe('a child that says that there is nothing to run', () => {
  it('is passed over: the next one starts, and its specification stays', () => {
    const { life, log, supervisor } = started('a', 'b');
    life('a').ignored();
    life('b').ready();
    expect(log).toEqual(['start a/1', 'start b/1', 'told child.ready']);
    expect(supervisor.view().children.map(({ key, state }) => [key, state])).toEqual([
      ['a', 'down'],
      ['b', 'ready'],
    ]);
  });

  it('and is temporary is forgotten', () => {
    const { life, supervisor } = supervised([{ id: 'a', restart: 'temporary' }]);
    life('a').ignored();
    expect([supervisor.view().children, supervisor.state]).toEqual([[], 'ready']);
  });
});

describe('a start that is done', () => {
  it('is reported as progress for each child, in order', () => {
    const { bus, life } = started('a', 'b');
    const told: (string | undefined)[] = [];
    bus.on('supervisor.progress', ({ started: { pid } }) => told.push(pid));
    life('a').ready();
    life('b').ready();
    expect(told).toEqual(['sup/a#1', 'sup/b#1']);
  });
});
