import { describe, expect, it } from 'vitest';
import { fleet, LONG } from './fleet-watch.ts';

const OPTIONS = { size: 1, overflow: 1, idleTimeoutMs: 1_000 } as const;

describe('a worker beyond the size', () => {
  it('does not come for a call that waits for the worker of its session: it would be of no use', async () => {
    const { call, hang, done, log } = fleet({ ...OPTIONS, overflow: 2 });
    call('echo', {}, { sessionId: 's' });
    await done();
    hang();
    call('echo', {}, { sessionId: 's' });
    await done();
    expect(log).toEqual([]);
    hang();
    await done();
    expect(log).toEqual(['p/1 comes: overflow']);
  });

  it('does not go as idle while it has a call, however long that takes', async () => {
    const { call, hang, reply, pass, done, log } = fleet(OPTIONS);
    hang();
    hang();
    await done();
    reply(2);
    await pass(900);
    call('hang');
    await pass(60_000);
    expect(log).toEqual(['p/1 comes: overflow']);
    reply(2);
    await pass(1_000);
    expect(log.slice(1)).toEqual(['p/1#1 goes: idle']);
  });

  it('does not go while it holds a session that can be nowhere else', async () => {
    const { call, hang, reply, pass, done, log, pool } = fleet({
      ...OPTIONS,
      onSessionLoss: 'fail',
    });
    hang();
    const first = call('echo', {}, { sessionId: 's' });
    await done();
    expect(first.state).toBe('resolved');
    await pass(60_000);
    reply(1);
    await pass(60_000);
    // Of two idle ones the other may go.
    expect(log.slice(1)).toEqual(['p/0#1 goes: idle']);
    const next = call('echo', {}, { sessionId: 's', ...LONG });
    await done();
    expect([next.state, pool.endSession('s')]).toEqual(['resolved', true]);
  });
});
