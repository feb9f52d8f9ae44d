// Which word of a call that was taken back comes first? Its answer and the worker's word travel on lanes of their own.
import { expect, it } from 'vitest';
import { pooled, shown } from '../../supervisors/pool/calling.ts';
import type { Header, ScriptedProcess } from '../../support/scripted-world.ts';

const TIGHT = { timeoutMs: 50 };

it('a call that was taken back was not sent, also when its answer comes before word of that', async () => {
  const onControl = (process: ScriptedProcess, { type, id }: Header): void => {
    if (type !== 'withdraw') return;
    process.fail(Number(id), 'withdrawn');
    process.emit('control', { type: 'withdrawn', id, ok: true });
  };
  const { call, done, pass, bus, pool } = pooled(
    { prefetch: 1 },
    { onCall: () => undefined, onControl },
  );
  const dropped: unknown[] = [];
  bus.on('reply.dropped', (event) => dropped.push(event));
  call('first');
  const waiting = call('second', {}, TIGHT);
  await done();
  await pass(TIGHT.timeoutMs);
  expect([shown(waiting), dropped]).toEqual(['deadline_exceeded notSent', []]);
  expect(pool.statistics.gauges).toMatchObject({ busy: 1, running: 1, queued: 0 });
});
