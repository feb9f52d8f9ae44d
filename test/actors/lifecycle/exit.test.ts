import { describe, expect, it } from 'vitest';
import { exit, exitReasonOfOutput } from '../../../actors/lifecycle/exit.ts';

const boom = new Error('boom');

describe('an output that is an exit', () => {
  it.each([
    [exit('normal'), { type: 'normal' }],
    [exit('shutdown'), { type: 'shutdown' }],
    [exit(boom), { type: 'error', error: boom }],
    [exit({ type: 'killed' }), { type: 'killed' }],
    [exit({ type: 'shutdown', detail: 7 }), { type: 'shutdown', detail: 7 }],
    [exit({ type: 'exit_status', status: 3 }), { type: 'exit_status', status: 3 }],
  ])('is its reason: %o', (output, reason) => {
    expect(exitReasonOfOutput(output)).toEqual(reason);
  });
});

describe('any other output', () => {
  it.each([undefined, null, 7, 'shutdown', {}, { type: 'killed' }, boom, () => exit('shutdown')])(
    'is a normal end: %o',
    (output) => {
      expect(exitReasonOfOutput(output)).toEqual({ type: 'normal' });
    },
  );
});
