// Which ends are followed by a restart? Three restart types and three ends, tried out.
import assert from 'node:assert/strict';
import { setup } from 'xstate';

import { cast, exit, startSupervisor, type RestartType } from '../../../src/otp.ts';

const job = setup({}).createMachine({
  initial: 'running',
  states: {
    running: {
      on: {
        finish: 'finished',
        leave: 'left',
        fail: {
          actions: () => {
            throw new Error('no luck');
          },
        },
      },
    },
    finished: { type: 'final' },
    left: { type: 'final', output: () => exit('shutdown') },
  },
  output: ({ event }) => event.output,
});

const types: readonly RestartType[] = ['permanent', 'transient', 'temporary'];
const table: string[] = [];
for (const restart of types) {
  const after: string[] = [];
  for (const event of ['finish', 'leave', 'fail']) {
    await using top = await startSupervisor({
      children: [{ id: 'job', start: job, name: 'job', restart }],
    });
    cast('job', { type: event });
    const { specs, active } = await top.countChildren();
    after.push(active === 1 ? 'restarted' : specs === 1 ? 'kept down' : 'forgotten');
  }
  table.push(`${restart}: ${after.join(', ')}`);
}
console.log(table.join('\n'));

assert.deepEqual(table, [
  'permanent: restarted, restarted, restarted',
  'transient: kept down, kept down, restarted',
  'temporary: forgotten, forgotten, forgotten',
]);
