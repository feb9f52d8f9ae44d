// What can one see of a tree from outside? Events as they happen, and a view of each supervisor at any time.
import assert from 'node:assert/strict';
import { createMachine } from 'xstate';

import { cast, formatExitReason, formatReport, startSupervisor, System } from '../../../src/otp.ts';

const part = createMachine({
  on: {
    break: {
      actions: () => {
        throw new Error('broken');
      },
    },
  },
});

const system = new System(); // a world of its own: names, time and events
const names = new Map<string, number>();
system.on('*', (_event, name) => names.set(name, (names.get(name) ?? 0) + 1));

// What OTP would log: what went wrong, …
system.on('supervisor.reported', (report) => {
  console.log(formatReport(report, { singleLine: true }));
});
// … and what is done about it, with all that it was decided from.
system.on('supervisor.decided', ({ child, verdict, because, restartsInWindow, maxRestarts }) => {
  console.log(`Decision: ${verdict} ${child} (${because}; ${restartsInWindow} of ${maxRestarts})`);
});
system.on('letter.dead', ({ path, epoch, event }) => {
  console.log(`Dead letter: ${event} for ${path}#${epoch}`);
});

const top = await startSupervisor(
  { name: 'top', children: [{ id: 'part', start: part, name: 'part' }] },
  { system },
);
const old = system.whereis('part');
cast('part', { type: 'break' }, { system });
await top.countChildren();
old?.send({ type: 'hello' });

const { state, restartsInWindow, children } = top.statistics(); // waits for nothing
console.log(`${state}, restarts in the window: ${restartsInWindow}`);
for (const { key, state, epoch, lastReason } of children) {
  const why = lastReason === undefined ? '' : `, before: ${formatExitReason(lastReason)}`;
  console.log(`${key} is ${state} (epoch ${epoch}${why})`);
}
assert.equal(restartsInWindow, 1);
await top.stop();

assert.equal(system.deadLettersCount, 1);
assert.equal(names.get('supervisor.reported'), 1);
