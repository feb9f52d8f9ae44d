import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';

import type { ExitReason } from '../../../actors/ground/exit-reason.ts';
import { BridgeStartError, ProtocolError } from '../../../actors/ground/start-errors.ts';
import type { CrashCause, RemoteError } from '../../../actors/ground/worker-facts.ts';
import {
  causeOf,
  mayStartAgain,
  shouldReplaceAfter,
  verdictOn,
  type CrashFacts,
} from '../../../actors/worker/crash-cause.ts';

const CUDA = 'RuntimeError: CUDA error: device-side assert triggered';
const TRACEBACK = [
  'Traceback (most recent call last):',
  '  File "/m.py", line 1, in <module>',
  'ValueError: no',
].join('\n');

const cause = (reason: ExitReason, stderrTail = '', facts: CrashFacts = {}): CrashCause =>
  causeOf({ reason, stderrTail }, facts);
const signal = (name: string): ExitReason => ({ type: 'signal', signal: name });
const status = (of: number): ExitReason => ({ type: 'exit_status', status: of });
const failedStart = (message: string, code = 'python_error', type = 'RuntimeError'): ExitReason => {
  const remote: RemoteError = { type, message, traceback: '', code };
  return { type: 'error', error: new BridgeStartError(remote) };
};

describe('the cause of an end', () => {
  it.each([
    [{ type: 'normal' }, 'clean_exit'],
    [{ type: 'timeout', what: 'heartbeat' }, 'hang'],
    [{ type: 'timeout', what: 'gil_hold' }, 'hang'],
    [{ type: 'timeout', what: 'start' }, 'hang'],
    [{ type: 'killed' }, 'killed'],
    [{ type: 'shutdown' }, 'unknown'],
    [{ type: 'noproc' }, 'unknown'],
    [{ type: 'error', error: new ProtocolError('bad frame') }, 'unknown'],
    [failedStart('no'), 'import_error'],
    [failedStart('no', 'package_missing'), 'import_error'],
    [failedStart('CUDA error: unspecified launch failure'), 'cuda_error'],
    [failedStart('the hub is down', 'python_error', 'ConnectionError'), 'python_error'],
  ] as const)('%j: %s', (reason, expected) => {
    expect(cause(reason)).toBe(expected);
  });

  it.each(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP', 'SIGSYS'])(
    'by a fault of native code is that, or the GPU’s where it says so: %s',
    (name) => {
      expect(cause(signal(name), 'Fatal Python error')).toBe('segfault');
      expect(cause(signal(name), CUDA)).toBe('cuda_error');
    },
  );

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGXCPU'])('by %s is a kill', (name) => {
    expect(cause(signal(name), CUDA, { oomKillsBefore: 1, oomKillsAfter: 2 })).toBe('killed');
  });

  it.each([
    ...(['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const).map(
      (name) => [name, 'segfault'] as const,
    ),
    ['SIGKILL', 'oom_kill'],
    ['SIGTERM', 'killed'],
  ] as const)('by the status that a shell makes of %s is %s', (name, expected) => {
    const facts = { oomKillsBefore: 1, oomKillsAfter: 2 };
    expect(cause(status(128 + constants.signals[name]), '', facts)).toBe(expected);
  });

  it.each([1, 9, 11, 128, 255])('by status %d and without a word is not known', (of) => {
    expect(cause(status(of), '', { oomKillsBefore: 1, oomKillsAfter: 2 })).toBe('unknown');
  });

  it('by a status with a traceback is Python’s, or an import’s while the bridge was not there', () => {
    expect(cause(status(1), TRACEBACK)).toBe('python_error');
    expect(cause(status(1), TRACEBACK, { phase: 'ready' })).toBe('python_error');
    expect(cause(status(1), TRACEBACK, { phase: 'starting' })).toBe('import_error');
    expect(cause(status(1), `${TRACEBACK}\n${CUDA}`)).toBe('cuda_error');
  });
});

describe('a SIGKILL', () => {
  it.each([
    [3, 4, 'oom_kill'],
    [3, 3, 'killed'],
    [4, 3, 'killed'],
    [undefined, 4, 'killed'],
    [3, undefined, 'killed'],
    [undefined, undefined, 'killed'],
  ] as const)('when the kernel had counted %s and counts %s is %s', (before, after, expected) => {
    const facts = { oomKillsBefore: before, oomKillsAfter: after };
    expect(cause(signal('SIGKILL'), '', facts)).toBe(expected);
  });
});

describe('the verdict', () => {
  const CAUSES: readonly CrashCause[] = [
    ...(['oom_kill', 'cuda_error', 'segfault', 'hang', 'clean_exit', 'killed'] as const),
    ...(['python_error', 'unknown'] as const),
  ];

  it('on an import is that it will not mend itself, and that no call was in flight', () => {
    expect(verdictOn('import_error')).toEqual({ start: 'never', inFlight: 'innocent' });
  });

  it.each(CAUSES)('on %s is another start, and a suspicion of what was in flight', (of) => {
    expect(verdictOn(of)).toEqual({ start: 'again', inFlight: 'suspect' });
  });

  it('on a start that failed is no other one where an import did not go', () => {
    expect(mayStartAgain(failedStart('no'))).toBe(false);
    expect(mayStartAgain({ type: 'timeout', what: 'start' })).toBe(true);
    expect(mayStartAgain(signal('SIGKILL'))).toBe(true);
    expect(mayStartAgain(failedStart('the hub is down', '', 'ConnectionError'))).toBe(true);
    expect(mayStartAgain(failedStart('CUDA error: unspecified launch failure'))).toBe(true);
  });
});

describe('a worker that has raised', () => {
  const raised = (message: string): RemoteError => ({
    ...{ type: 'RuntimeError', message, traceback: '', code: 'python_error' },
  });

  it('is replaced when its GPU context is broken for good', () => {
    expect(shouldReplaceAfter(raised(CUDA))).toBe(true);
    expect(shouldReplaceAfter({ ...raised('no'), cause: raised(CUDA) })).toBe(true);
  });

  it('goes on after any other exception', () => {
    expect(shouldReplaceAfter(raised('no'))).toBe(false);
    expect(shouldReplaceAfter(raised('CUDA out of memory'))).toBe(false);
    expect(shouldReplaceAfter({ ...raised('no'), type: 'RateLimitError' })).toBe(false);
  });
});
