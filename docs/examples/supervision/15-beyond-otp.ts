// What can a supervisor do that OTP's does not, if it is asked to? Wait, bound failed starts, start in parallel, and not retry the hopeless.
import assert from 'node:assert/strict';
import { fromCallback, setup } from 'xstate';

import { cast, startSupervisor, System } from '../../../src/otp.ts';

const part = fromCallback<{ type: 'break' }>(({ receive }) => {
  receive(() => {
    throw new Error('broken');
  });
});

/** Good at first; broken once, it does not start again. */
function failing(message: string) {
  let starts = 0;
  return () => {
    starts += 1;
    if (starts > 1) throw new Error(message);
    return { logic: part };
  };
}

const system = new System({ random: { next: () => 0.5 } }); // chance, for once, is always in the middle
const decided: string[] = [];
system.on('supervisor.decided', ({ supervisor, verdict, because, delayMs }) => {
  decided.push(`${supervisor}: ${verdict} (${because}), after ${delayMs} ms`);
});

// Wait before a restart: anything up to 20 ms, then up to 40, 80, …, at most 1 000.
const patient = await startSupervisor(
  {
    name: 'patient',
    backoff: { minMs: 20, maxMs: 1_000 },
    maxRestarts: 100,
    children: [
      {
        ...{ id: 'service', name: 'service', start: failing('still down') },
        maxConsecutiveStartFailures: 2,
      },
    ],
  },
  { system },
);
cast('service', { type: 'break' }, { system });
assert.equal((await patient.exited).type, 'shutdown');

// Some errors are not mended by another try.
const wise = await startSupervisor(
  {
    name: 'wise',
    children: [
      {
        ...{ id: 'model', name: 'model', start: failing('no such module') },
        isRetryable: (reason) =>
          reason.type !== 'error' || reason.error.message !== 'no such module',
      },
    ],
  },
  { system },
);
cast('model', { type: 'break' }, { system });
assert.equal((await wise.exited).type, 'shutdown');

// Children that load long and in parallel: two at one time, and the start does not wait for them.
const loading = setup({ delays: { load: 10 } }).createMachine({
  initial: 'loading',
  states: { loading: { tags: 'starting', after: { load: 'loaded' } }, loaded: {} },
});
const many = await startSupervisor(
  {
    maxConcurrentStarts: 2,
    children: ['a', 'b', 'c', 'd'].map((id) => ({ id, start: loading, ack: 'spawned' as const })),
  },
  { system },
);
const states = many.statistics().children.map(({ state }) => state);
assert.deepEqual(states, ['spawning', 'spawning', 'queued', 'queued']);
await many.stop();

console.log(decided.join('\n'));
assert.deepEqual(decided, [
  'patient: restart (within the restart intensity), after 10 ms',
  'patient: restart (the start before failed), after 20 ms',
  'patient: give_up (reached_max_start_failures), after 0 ms',
  'wise: restart (within the restart intensity), after 0 ms',
  'wise: give_up (not_retryable), after 0 ms',
]);
