// How does a tree stop? In reverse order, one child after another, each in its own time.
import assert from 'node:assert/strict';
import { createMachine, setup } from 'xstate';

import { defaultSystem, exit, formatExitReason, startSupervisor } from '../../../src/otp.ts';

// Asked to end, it writes its last lines first.
const writer = setup({ delays: { writing: 20 } }).createMachine({
  initial: 'open',
  states: {
    open: { on: { 'caduceus.shutdown': 'closing' } },
    closing: { after: { writing: 'closed' } },
    closed: { type: 'final' },
  },
  output: () => exit('shutdown'),
});
// Asked to end, it does nothing of the kind.
const stubborn = createMachine({ on: { 'caduceus.shutdown': { actions: () => undefined } } });
// Not to be asked: it is stopped where it stands.
const simple = createMachine({});

const told: string[] = [];
defaultSystem().on('child.stopped', ({ path, reason }) => {
  told.push(`${path}: ${formatExitReason(reason)}`);
});
defaultSystem().on('supervisor.reported', ({ errorContext, offender }) => {
  told.push(`report: ${errorContext} of ${offender.path}`);
});

const top = await startSupervisor({
  name: 'top',
  children: [
    { id: 'store', start: simple },
    { id: 'journal', start: writer, shutdown: 1_000 },
    { id: 'sensor', start: stubborn, shutdown: 50 },
    { id: 'cache', start: stubborn, shutdown: 'brutal_kill' },
  ],
});
const reason = await top.stop();
told.push(`top: ${formatExitReason(reason)}`);
console.log(told.join('\n'));

assert.deepEqual(told, [
  'top/cache: killed',
  'top/sensor: killed',
  'report: shutdown_error of top/sensor',
  'top/journal: shutdown',
  'top/store: shutdown',
  'top: shutdown',
]);
