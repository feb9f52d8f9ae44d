import { describe, expect, it } from 'vitest';
import {
  exitReasonOf,
  formatExitReason,
  isAbnormal,
  type ExitReason,
} from '../../../actors/ground/exit-reason.ts';

const REASONS: readonly (readonly [reason: ExitReason, abnormal: boolean, text: string])[] = [
  [{ type: 'normal' }, false, 'normal'],
  [{ type: 'shutdown' }, false, 'shutdown'],
  [{ type: 'shutdown', detail: 'recycled' }, false, 'shutdown (recycled)'],
  [{ type: 'shutdown', detail: { limit: 3 } }, false, 'shutdown ({"limit":3})'],
  [{ type: 'killed' }, true, 'killed'],
  [{ type: 'exit_status', status: 3 }, true, 'exit status 3'],
  [{ type: 'signal', signal: 'SIGSEGV' }, true, 'signal SIGSEGV'],
  [{ type: 'timeout', what: 'start' }, true, 'timeout of start'],
  [{ type: 'error', error: new TypeError('no') }, true, 'TypeError: no'],
];

describe('an exit reason', () => {
  it.each(REASONS)('%o is abnormal: %s', (reason, abnormal) => {
    expect(isAbnormal(reason)).toBe(abnormal);
  });

  it.each(REASONS)('%o (abnormal: %s) reads "%s"', (reason, _abnormal, text) => {
    expect(formatExitReason(reason)).toBe(text);
  });

  it.each([
    [0, null, { type: 'normal' }],
    [3, null, { type: 'exit_status', status: 3 }],
    [null, 'SIGKILL', { type: 'signal', signal: 'SIGKILL' }],
    [0, 'SIGTERM', { type: 'signal', signal: 'SIGTERM' }],
  ])('of a process that ended with status %s and signal %s is %o', (status, signal, reason) => {
    expect(exitReasonOf(status, signal)).toEqual(reason);
  });
});
