// Which failure is explained, and does one that is not explained make a run fail?
import { describe, expect, it } from 'vitest';

import { CallAbortedError, DeadlineExceededError, WorkerCrashedError } from '../../src/index.ts';
import { PythonError, ReplayFailedError } from '../../src/index.ts';
import { CheckoutEndedError } from '../../actors/ground/pool-errors.ts';
import { Book, type Entry } from './book.ts';
import { judge, Targets, type Failure, type Wanted } from './judge.ts';

const SITE = { workerId: 'root/stricken/0', epoch: 3 };
const NEIGHBOUR = { workerId: 'root/stricken/0', epoch: 4 };
const ANSWER: Wanted = { type: 'answer' };

function failure(error: unknown, wanted: Wanted = ANSWER, tookMs = 10): Failure {
  const call = { pool: 'stricken', client: 'c', op: 'work', sessionId: undefined, held: undefined };
  return { ...call, wanted, error, beganMs: 0, tookMs };
}

function crash(site = SITE): WorkerCrashedError {
  const report = { reason: { type: 'signal', signal: 'SIGKILL' } as const, stderrTail: '' };
  return new WorkerCrashedError('work', site, report, 'maybeExecuted');
}

function raised(message: string): PythonError {
  const remote = { type: 'ValueError', message, traceback: '', code: 'python_error' };
  return new PythonError(remote, SITE);
}

function targetsOf(...sites: (typeof SITE)[]): Targets {
  const targets = new Targets();
  for (const site of sites) targets.add(site, 'kill');
  return targets;
}

describe('a failure is explained', () => {
  it('by a fault that was put into the incarnation that it names', () => {
    expect(judge(failure(crash()), targetsOf(SITE))).toEqual({ type: 'injected', fault: 'kill' });
  });

  it('by such a death behind a replay that failed', () => {
    const error = new ReplayFailedError('work', 'session s', 'put', crash());
    expect(judge(failure(error), targetsOf(SITE)).type).toBe('injected');
  });

  it('by such a death of the worker that its caller held', () => {
    const ended = failure(new CheckoutEndedError('checkout', 'its worker has ended'));
    expect(judge({ ...ended, held: SITE }, targetsOf(SITE)).type).toBe('injected');
    expect(judge({ ...ended, held: NEIGHBOUR }, targetsOf(SITE)).type).toBe('unexplained');
    expect(judge(ended, targetsOf(SITE)).type).toBe('unexplained');
  });

  it.each<[string, Wanted, Error]>([
    ['abort', { type: 'abort' }, new CallAbortedError('work', 'maybeExecuted', 'enough')],
    [
      'deadline',
      { type: 'deadline', timeoutMs: 9 },
      new DeadlineExceededError('work', 9, 'maybeExecuted', 'on a worker'),
    ],
    ['error of Python', { type: 'raise', message: 'm 1' }, raised('m 1')],
  ])('by the %s that its client has ordered', (_what, wanted, error) => {
    expect(judge(failure(error, wanted), new Targets()).type).toBe('ordered');
  });
});

describe('a failure is not explained', () => {
  it.each<[string, Failure]>([
    ['by a fault in another incarnation of the same worker', failure(crash(NEIGHBOUR))],
    ['when Python raised in a worker that a fault met', failure(raised('by itself'))],
    [
      'when Python raised something else than was ordered',
      failure(raised('m 2'), { type: 'raise', message: 'm 1' }),
    ],
    [
      'when it was aborted and nobody had aborted it',
      failure(new CallAbortedError('work', 'maybeExecuted', 'x')),
    ],
    [
      'when a deadline ended it that its client had not made short',
      failure(new DeadlineExceededError('work', 60_000, 'maybeExecuted', 'on a worker')),
    ],
    [
      'when a running call was ended before its deadline',
      failure(
        new DeadlineExceededError('work', 100, 'maybeExecuted', 'on a worker'),
        { type: 'deadline', timeoutMs: 100 },
        50,
      ),
    ],
    ['when it is no error of the package', failure(new TypeError('undefined is not a function'))],
  ])('%s', (_what, found) => {
    expect(judge(found, targetsOf(SITE)).type).toBe('unexplained');
  });
});

describe('the book of a pool', () => {
  const entry: Entry = {
    ...{ client: 'c', op: 'work', sessionId: undefined, wanted: ANSWER },
    beganMs: 0,
    dueMs: 100,
  };

  it('waits with its verdict until all faults are known', () => {
    const targets = new Targets();
    const book = new Book('stricken', targets);
    book.begin(entry);
    book.failed(entry, crash(), 10);
    book.review(20);
    targets.add(SITE, 'freeze');
    book.close();
    expect(book.unexplained.count).toBe(0);
  });

  it('complains, with all that is known, of a failure that nothing explains', () => {
    const book = new Book('stricken', new Targets());
    book.begin(entry);
    book.failed(entry, crash(), 10);
    book.close();
    expect(book.unexplained.count).toBe(1);
    expect(book.unexplained.complaints[0]).toContain('root/stricken/0 (epoch 3)');
  });

  it('complains once of a call that has no end', () => {
    const book = new Book('stricken', new Targets());
    book.begin(entry);
    book.review(99);
    expect(book.unexplained.count).toBe(0);
    book.review(100);
    book.review(200);
    expect(book.unexplained.count).toBe(1);
    expect(book.openCount).toBe(1);
  });

  it('complains of a call that has ended twice, and counts its first end', () => {
    const book = new Book('stricken', new Targets());
    book.begin(entry);
    book.completed(entry, 10);
    book.failed(entry, crash(), 11);
    expect(book.unexplained.count).toBe(1);
    expect(book.tally.counts).toEqual({ completed: 1, failed: 0, cancelled: 0, refused: 0 });
  });
});
