import { describe, expect, it } from 'vitest';
import { OverloadedError } from '../../../actors/ground/errors.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import type { Worker } from '../../../actors/worker/worker-types.ts';
import { newCallRow, newSlot, type Slot } from '../../../supervisors/pool/call-row.ts';
import type { StateChange } from '../../../supervisors/pool/journal.ts';
import { Scopes } from '../../../supervisors/pool/scopes.ts';
import type { Session } from '../../../supervisors/pool/session.ts';

const slot = () => newSlot({ workerId: 'p/0', epoch: 1 } as Worker, 0);

function request(change: StateChange, key: string) {
  const args = { id: key };
  return { op: change, args, timeoutMs: 1, checkoutTimeoutMs: 1, change: { change, key } };
}

function execute(
  scopes: Scopes,
  on: Slot,
  change: StateChange,
  key: string,
  session?: Session,
): void {
  const row = newCallRow({
    ...{ kind: 'call', seq: 1, request: request(change, key), session, affinity: 'required' },
    ...{ acceptedAtMs: 0, deadlineAtMs: 0 },
    args: encodeValue({ id: key }, 'args'),
    ...{ resolve: () => undefined, reject: () => undefined },
  });
  scopes.record(on, row, [on]);
}

function missing(scopes: Scopes, on: Slot, session?: Session): string[] {
  const told: string[] = [];
  for (
    let next = scopes.missing(on, session);
    next !== undefined;
    next = scopes.missing(on, session)
  ) {
    told.push(`${next.scope} ${next.entry.key} ${next.sessionId ?? '-'}`);
    next.mark.add(next.entry.seq);
  }
  return told;
}

describe('what an incarnation must be told', () => {
  it('before a call without session: the bridge first, then the anonymous scope', () => {
    const scopes = new Scopes({ pool: 'p' });
    execute(scopes, slot(), 'create', 'a');
    execute(scopes, slot(), 'configure', 'lm');
    expect(missing(scopes, slot())).toEqual(['bridge lm -', 'anonymous a -']);
  });

  it('before a call of a session: the bridge first, then the session alone', () => {
    const scopes = new Scopes({ pool: 'p' });
    const session = scopes.session('s', 0);
    execute(scopes, slot(), 'create', 'anonymous');
    execute(scopes, slot(), 'configure', 'lm');
    execute(scopes, slot(), 'create', 'own', session);
    expect(missing(scopes, slot(), session)).toEqual(['bridge lm -', 'session own s']);
  });

  it('is nothing of what it executed itself', () => {
    const scopes = new Scopes({ pool: 'p' });
    const own = slot();
    execute(scopes, own, 'configure', 'lm');
    execute(scopes, own, 'create', 'a');
    expect(missing(scopes, own)).toEqual([]);
  });

  it('is nothing of another session', () => {
    const scopes = new Scopes({ pool: 'p' });
    execute(scopes, slot(), 'create', 'a', scopes.session('s', 0));
    expect(missing(scopes, slot(), scopes.session('t', 0))).toEqual([]);
  });

  it('is a configuration of a session only in that session', () => {
    const scopes = new Scopes({ pool: 'p' });
    execute(scopes, slot(), 'configure', 'lm', scopes.session('s', 0));
    expect(missing(scopes, slot())).toEqual([]);
  });
});

describe('sessions', () => {
  it('are the same under the same name', () => {
    const scopes = new Scopes({ pool: 'p' });
    expect(scopes.session('s', 0)).toBe(scopes.session('s', 0));
  });

  it('are not made by looking for them', () => {
    const scopes = new Scopes({ pool: 'p' });
    expect([scopes.find('s'), scopes.sessionsCount]).toEqual([undefined, 0]);
  });

  it('are bounded in number, and the known ones go on', () => {
    const scopes = new Scopes({ pool: 'p' });
    for (let n = 0; n < LIMITS.sessionsMax; n += 1) scopes.session(String(n), 0);
    expect(() => scopes.session('one more', 0)).toThrow(OverloadedError);
    expect(() => scopes.session('0', 0)).not.toThrow();
  });
});

describe('a full journal', () => {
  const row = (id: string) => ({ args: encodeValue({ id }, 'args'), session: undefined });
  const full = () => {
    const scopes = new Scopes({ pool: 'p' });
    const own = slot();
    for (let n = 0; n < LIMITS.journalEntriesMax; n += 1) execute(scopes, own, 'create', String(n));
    return scopes;
  };

  it('refuses one more thing before it is sent', () => {
    expect(() => full().assertRoom(request('create', 'more'), row('more'))).toThrow(
      OverloadedError,
    );
  });

  it.each([
    ['a new edition of a known thing', 'create', '0'],
    ['a deletion', 'delete', '0'],
    ['what is noted elsewhere', 'configure', 'lm'],
  ] as const)('has room for %s', (_what, change, key) => {
    expect(() => full().assertRoom(request(change, key), row(key))).not.toThrow();
  });
});
