// What can go wrong with a call that only a pool knows of? Lost sessions, open breakers, poison, stores, secrets, checkouts.
import { CaduceusError, type Outcome } from './errors.ts';

/** What the session was is gone with its worker, and nothing can rebuild it. It stays so until `endSession`; nothing was sent. */
export class SessionLostError extends CaduceusError {
  readonly code = 'session_lost';
  readonly category = 'session_error';
  override readonly outcome: Outcome = 'notSent';
  readonly sessionId: string;

  constructor(op: string, sessionId: string, because: string) {
    super(
      `call ${op} was not sent: session ${sessionId} is lost: ${because}; endSession lets it begin anew`,
    );
    this.sessionId = sessionId;
  }
}

/** Too many workers of the pool have crashed lately; nothing was sent. */
export class CircuitOpenError extends CaduceusError {
  readonly code = 'circuit_open';
  readonly category = 'resource_error';
  override readonly outcome: Outcome = 'notSent';
  readonly pool: string;
  /** Until a call may be let through again, in ms. */
  readonly retryAfterMs: number;

  constructor(pool: string, retryAfterMs: number) {
    super(
      `pool ${pool} lets no call through after crashes of its workers; try again in ${retryAfterMs} ms`,
    );
    this.pool = pool;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Workers have died with this call on board, so often that no other is risked; this one was not sent. */
export class PoisonedError extends CaduceusError {
  readonly code = 'poisoned';
  readonly category = 'system_error';
  override readonly outcome: Outcome = 'notSent';
  /** Crashes in which this operation with these arguments was in flight. */
  readonly crashes: number;
  /** How long it is refused after the last of them, in ms. */
  readonly forMs: number;

  constructor(op: string, crashes: number, forMs: number) {
    super(
      `call ${op} is not sent: ${crashes} workers have crashed while they had it with these arguments; it is refused for ${forMs} ms`,
    );
    this.crashes = crashes;
    this.forMs = forMs;
  }
}

/** The store of sessions could not do what was asked; `cause` is what it said. */
export class StoreFailedError extends CaduceusError {
  readonly code = 'store_failed';
  readonly category = 'session_error';
  override readonly outcome: Outcome;

  constructor(what: string, outcome: Outcome, cause: Error) {
    const sent = outcome === 'notSent' ? 'the call was not sent' : 'the call has been executed';
    super(`${what}: the store failed: ${cause.message}; ${sent}`, { cause });
    this.outcome = outcome;
  }
}

/** A state that is to be rebuilt names a secret which this process does not have. */
export class SecretMissingError extends CaduceusError {
  readonly code = 'secret_missing';
  readonly category = 'configuration_error';
  override readonly outcome: Outcome = 'notSent';
  /** The name of the secret, as the store has it. */
  readonly secretName: string;

  constructor(name: string) {
    super(`secret ${name} is not known here: give it with the option "secrets"`);
    this.secretName = name;
  }
}

/** The worker is not held any more; nothing was sent. */
export class CheckoutEndedError extends CaduceusError {
  readonly code = 'checkout_ended';
  readonly category = 'session_error';
  override readonly outcome: Outcome = 'notSent';

  constructor(what: string, because: string) {
    super(`${what}: the checkout has ended: ${because}`);
  }
}

const STOPPED_WORDS = {
  draining: 'is draining',
  stopped: 'was stopped',
  unregistered: 'is gone, its bridge was unregistered',
} as const;

/** The pool takes no more calls, because it was told so; nothing was sent. */
export class PoolStoppedError extends CaduceusError {
  readonly code = 'pool_stopped';
  readonly category = 'system_error';
  override readonly outcome: Outcome = 'notSent';
  readonly pool: string;
  /** `draining`: what it has accepted goes on to its end; `unregistered`: it is over for good. */
  readonly state: 'draining' | 'stopped' | 'unregistered';

  constructor(pool: string, state: PoolStoppedError['state']) {
    super(`pool ${pool} takes no calls: it ${STOPPED_WORDS[state]}`);
    this.pool = pool;
    this.state = state;
  }
}

/** Replacements did not start; the workers that were there go on. `cause` is why the last of them did not. */
export class ReloadFailedError extends CaduceusError {
  readonly code = 'reload_failed';
  readonly category = 'initialization_error';
  readonly pool: string;

  constructor(pool: string, because: string, cause: Error | undefined) {
    super(
      `pool ${pool} was not reloaded: ${because}; its workers go on as they are`,
      cause === undefined ? undefined : { cause },
    );
    this.pool = pool;
  }
}
