import { describe, expect, it } from 'vitest';
import {
  CallAbortedError,
  CheckoutTimeoutError,
  DeadlineExceededError,
  isCaduceusError,
  OverloadedError,
  PoolFailedError,
  PythonError,
  ReplayFailedError,
  RuntimeStoppedError,
  UnencodableError,
  UnknownOperationError,
  WorkerCrashedError,
  type CaduceusError,
} from '../../../actors/ground/errors.ts';
import {
  CheckoutEndedError,
  CircuitOpenError,
  PoisonedError,
  PoolStoppedError,
  ReloadFailedError,
  SecretMissingError,
  SessionLostError,
  StoreFailedError,
} from '../../../actors/ground/pool-errors.ts';
import {
  BridgeStartError,
  InvalidConfigError,
  ProtocolError,
  PythonNotFoundError,
  PythonTooOldError,
  ScriptNotFoundError,
  SpawnFailedError,
} from '../../../actors/ground/start-errors.ts';
import type { RemoteError } from '../../../actors/ground/worker-facts.ts';

const WORKER = { workerId: 'p/0', epoch: 2 };
const REMOTE: RemoteError = {
  type: 'ValueError',
  message: 'bad',
  traceback: 'Traceback: bad',
  code: 'python_error',
};
const REPORT = { reason: { type: 'exit_status', status: 9 }, stderrTail: 'last words' } as const;
const CAUSE = new Error('cause');

type Row = readonly [CaduceusError, code: string, retryable: boolean, outcome: string | undefined];

const ERRORS: readonly Row[] = [
  [new WorkerCrashedError('op', WORKER, REPORT, 'notSent'), 'worker_crashed', true, 'notSent'],
  [new PythonError(REMOTE, WORKER), 'python_error', false, 'maybeExecuted'],
  [new DeadlineExceededError('op', 5, 'notSent', 'here'), 'deadline_exceeded', true, 'notSent'],
  [new CheckoutTimeoutError('op', 5, 'busy'), 'checkout_timeout', true, 'notSent'],
  [new OverloadedError('pool p', 'queueLengthMax', 1), 'overloaded', true, 'notSent'],
  [new CallAbortedError('op', 'maybeExecuted', CAUSE), 'aborted', false, 'maybeExecuted'],
  [new ReplayFailedError('op', 'session', 'create', CAUSE), 'replay_failed', false, 'notSent'],
  [new PoolFailedError('p', 'no', CAUSE), 'pool_failed', false, 'notSent'],
  [new RuntimeStoppedError('pool p'), 'runtime_stopped', false, 'notSent'],
  [new UnknownOperationError('op', 'dspy', ['ping']), 'unknown_operation', false, 'notSent'],
  [new UnencodableError('args.a', 'NaN'), 'unencodable', false, 'notSent'],
  [new InvalidConfigError('size', 'no'), 'invalid_config', false, undefined],
  [new PythonNotFoundError(['python3']), 'python_not_found', false, undefined],
  [new PythonTooOldError('/p', '3.8.0', '3.10'), 'python_too_old', false, undefined],
  [new ScriptNotFoundError('/m.py', 'no'), 'script_not_found', false, undefined],
  [new BridgeStartError(REMOTE), 'bridge_start_failed', false, undefined],
  [new SpawnFailedError('python', CAUSE), 'spawn_failed', false, undefined],
  [new ProtocolError('bad frame'), 'protocol_error', false, undefined],
  [new SessionLostError('op', 's', 'its worker ended'), 'session_lost', false, 'notSent'],
  [new CircuitOpenError('p', 5), 'circuit_open', true, 'notSent'],
  [new PoisonedError('op', 2, 5), 'poisoned', false, 'notSent'],
  [new StoreFailedError('op', 'maybeExecuted', CAUSE), 'store_failed', true, 'maybeExecuted'],
  [new SecretMissingError('key'), 'secret_missing', false, 'notSent'],
  [new CheckoutEndedError('checkIn', 'no'), 'checkout_ended', false, 'notSent'],
  [new PoolStoppedError('p', 'draining'), 'pool_stopped', false, 'notSent'],
  [new ReloadFailedError('p', 'no', CAUSE), 'reload_failed', false, undefined],
];

describe.each(ERRORS.map((row) => [row[0].name, ...row] as const))(
  '%s',
  (name, error, code, retryable, outcome) => {
    it(`has code ${code}, is ${retryable ? '' : 'not '}retryable, outcome ${outcome ?? 'none'}`, () => {
      const found = { code: error.code, retryable: error.retryable, outcome: error.outcome };
      expect(found).toEqual({ code, retryable, outcome });
    });

    it('is recognised as ours and bears the name of its class', () => {
      expect([isCaduceusError(error), error.name]).toEqual([true, error.constructor.name]);
      expect(name).toBe(error.name);
    });
  },
);

describe('errors', () => {
  it('have codes of their own', () => {
    const codes = ERRORS.map(([error]) => error.code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it.each([[new Error('x')], [undefined], [null], ['text'], [{ code: 'overloaded' }]])(
    'of others are not ours: %o',
    (value) => {
      expect(isCaduceusError(value)).toBe(false);
    },
  );

  it('of another copy of the package are ours, by their brand', () => {
    expect(isCaduceusError({ [Symbol.for('caduceus.error')]: true })).toBe(true);
  });
});

describe('a Python error', () => {
  const nested = { ...REMOTE, code: 'not_configured', cause: { ...REMOTE, type: 'OSError' } };
  const error = new PythonError(nested, WORKER);

  it('keeps type, traceback, worker and the code that the bridge chose', () => {
    expect(error).toMatchObject({
      ...{ message: 'ValueError: bad', code: 'not_configured', pythonType: 'ValueError' },
      ...{ traceback: 'Traceback: bad', workerId: 'p/0', epoch: 2 },
    });
  });

  it('keeps its causes as its cause', () => {
    expect(error.cause).toMatchObject({ name: 'PythonError', pythonType: 'OSError' });
  });
});

describe('an exception of Python’s that may pass', () => {
  it('says so, and is temporary', () => {
    const error = new PythonError({ ...REMOTE, type: 'RateLimitError' }, WORKER);
    expect([error.python, error.retryable]).toEqual(['passing', true]);
    const lasting = new PythonError(REMOTE, WORKER);
    expect([lasting.python, lasting.retryable]).toEqual(['lasting', false]);
  });
});

describe('a call whose deadline has passed', () => {
  it('may be retried when it was not sent', () => {
    expect(new DeadlineExceededError('op', 5, 'notSent', 'here').retryable).toBe(true);
  });

  it('may not be retried blindly when it may have been executed', () => {
    expect(new DeadlineExceededError('op', 5, 'maybeExecuted', 'here').retryable).toBe(false);
  });
});

describe('a crash of a worker', () => {
  it('names worker, epoch, reason and what became of the call', () => {
    const error = new WorkerCrashedError('train', WORKER, REPORT, 'maybeExecuted');
    expect(error.message).toBe(
      'call train failed: worker p/0 (epoch 2) ended with exit status 9; it may have been executed',
    );
  });

  it('says in one word what ended it, where that was judged', () => {
    const report = { ...REPORT, crashCause: 'segfault' } as const;
    expect(new WorkerCrashedError('op', WORKER, report, 'notSent').crashCause).toBe('segfault');
    expect(new WorkerCrashedError('op', WORKER, REPORT, 'notSent').crashCause).toBe('unknown');
  });

  it('carries the error that ended it as its cause', () => {
    const report = { reason: { type: 'error', error: CAUSE }, stderrTail: '' } as const;
    expect(new WorkerCrashedError('op', WORKER, report, 'notSent').cause).toBe(CAUSE);
  });
});

describe('a bridge that did not start', () => {
  it('has code package_missing when that is the cause', () => {
    expect(new BridgeStartError({ ...REMOTE, code: 'package_missing' }).code).toBe(
      'package_missing',
    );
  });
});
