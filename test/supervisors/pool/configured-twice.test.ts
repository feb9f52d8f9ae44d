// Which configuration has a worker that was told of one while it executed another?
import { expect, it } from 'vitest';
import type { CallMessage, ScriptedProcess } from '../../support/scripted-world.ts';
import { inSession, pooled } from './calling.ts';

const SETUP = { change: { change: 'configure', key: 'setup' } } as const;

it('a worker that is told of an older configuration after it has executed a newer one is told that one again', async () => {
  const late: (() => void)[] = [];
  const levels = new Map<number, unknown>();
  let sent = 0;
  const onCall = (process: ScriptedProcess, { id, op, args }: CallMessage): void => {
    if (op === 'setup') levels.set(process.pid, args['level']);
    const reply = (): void => process.reply(id, levels.get(process.pid));
    // The two calls; what is told again is answered at once.
    if (op === 'setup' && sent < 2) late.push(reply);
    else reply();
    if (op === 'setup') sent += 1;
  };
  const { call, done } = pooled({ size: 2, prefetch: 1 }, { onCall });
  // One session on each worker.
  call('look', {}, inSession('a'));
  call('look', {}, inSession('b'));
  await done();
  // Both are executed, and neither is acknowledged.
  call('setup', { level: 'old' }, SETUP);
  call('setup', { level: 'new' }, SETUP);
  await done();
  late.shift()!();
  await done();
  // The other worker is told of the older one, behind the newer one that it has executed.
  call('look', {}, inSession('b'));
  await done();
  late.shift()!();
  await done();
  const looks = ['a', 'b'].map((session) => call('look', {}, inSession(session)));
  await done();
  expect(looks.map(({ value }) => value)).toEqual(['new', 'new']);
});
