// What is a supervision tree, in twenty lines? One machine, one supervisor, one crash, one restart.
import assert from 'node:assert/strict';
import { assign, setup } from 'xstate';

import { cast, defaultSystem, formatExitReason, startSupervisor } from '../../../src/otp.ts';

const printer = setup({
  types: { context: {} as { page: number }, events: {} as { type: 'print' | 'jam' } },
}).createMachine({
  context: { page: 0 },
  on: {
    print: {
      actions: [
        assign({ page: ({ context }) => context.page + 1 }),
        ({ context }) => console.log(`page ${context.page}`),
      ],
    },
    jam: {
      actions: () => {
        throw new Error('paper jam');
      },
    },
  },
});

defaultSystem().on('supervisor.decided', ({ offender, reason, verdict }) => {
  console.log(`${offender.pid} ended (${formatExitReason(reason)}): ${verdict}`);
});

const top = await startSupervisor({
  children: [{ id: 'printer', start: printer, name: 'printer' }],
});
cast('printer', { type: 'print' });
cast('printer', { type: 'print' });
cast('printer', { type: 'jam' });
const { child } = await top.whichChild('printer'); // answered when the restart is done
cast('printer', { type: 'print' });
await top.stop();

assert.ok(typeof child === 'object');
assert.equal(child.epoch, 2);
