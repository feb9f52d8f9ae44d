import { describe, expect, it } from 'vitest';
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

const CAUSE = new Error('disk full');

describe('an error of a pool says what, to whom, and what was found', () => {
  it.each([
    [
      new SessionLostError('train', 's1', 'its worker p/0 ended'),
      'call train was not sent: session s1 is lost: its worker p/0 ended; endSession lets it begin anew',
      { category: 'session_error', sessionId: 's1' },
    ],
    [
      new CircuitOpenError('dspy', 1_500),
      'pool dspy lets no call through after crashes of its workers; try again in 1500 ms',
      { category: 'resource_error', pool: 'dspy', retryAfterMs: 1_500 },
    ],
    [
      new PoisonedError('train', 2, 60_000),
      'call train is not sent: 2 workers have crashed while they had it with these arguments; it is refused for 60000 ms',
      { category: 'system_error', crashes: 2, forMs: 60_000 },
    ],
    [
      new StoreFailedError('call train', 'maybeExecuted', CAUSE),
      'call train: the store failed: disk full; the call has been executed',
      { category: 'session_error', cause: CAUSE },
    ],
    [
      new StoreFailedError('call train', 'notSent', CAUSE),
      'call train: the store failed: disk full; the call was not sent',
      { category: 'session_error', outcome: 'notSent' },
    ],
    [
      new SecretMissingError('OPENAI_KEY'),
      'secret OPENAI_KEY is not known here: give it with the option "secrets"',
      { category: 'configuration_error', secretName: 'OPENAI_KEY' },
    ],
    [
      new CheckoutEndedError('checkIn', 'its lease is over'),
      'checkIn: the checkout has ended: its lease is over',
      { category: 'session_error' },
    ],
    [
      new PoolStoppedError('dspy', 'draining'),
      'pool dspy takes no calls: it is draining',
      { category: 'system_error', pool: 'dspy', state: 'draining' },
    ],
    [
      new PoolStoppedError('dspy', 'stopped'),
      'pool dspy takes no calls: it was stopped',
      { state: 'stopped' },
    ],
    [
      new ReloadFailedError('dspy', 'a replacement did not start', CAUSE),
      'pool dspy was not reloaded: a replacement did not start; its workers go on as they are',
      { category: 'initialization_error', pool: 'dspy', cause: CAUSE },
    ],
  ])('%s', (error, message, fields) => {
    expect(error.message).toBe(message);
    expect(error).toMatchObject(fields);
  });

  it('has no cause where there is none', () => {
    expect('cause' in new ReloadFailedError('dspy', 'it was stopped', undefined)).toBe(false);
  });
});
