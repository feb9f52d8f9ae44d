// When does a supervisor give up, and what does the one above do then? Crashes are counted, level by level.
import assert from 'node:assert/strict';
import { createMachine } from 'xstate';

import {
  cast,
  defaultSystem,
  formatExitReason,
  startSupervisor,
  supervisor,
} from '../../../src/otp.ts';

const part = createMachine({
  on: {
    break: {
      actions: () => {
        throw new Error('broken');
      },
    },
  },
});

let crashes = 0;
defaultSystem().on('supervisor.decided', ({ supervisor: path, child, verdict, because }) => {
  console.log(`crash ${crashes}: ${path} decides on ${child}: ${verdict} (${because})`);
});

const inner = supervisor({
  maxRestarts: 1,
  periodMs: 10_000,
  children: [{ id: 'part', start: part, name: 'part' }],
});
const top = await startSupervisor({
  name: 'top',
  maxRestarts: 1,
  periodMs: 10_000,
  children: [{ id: 'inner', start: inner }],
});

let end: string | undefined;
void top.exited.then((reason) => (end = formatExitReason(reason)));
while (end === undefined) {
  const again = new Promise((resolve) => defaultSystem().on('child.ready', resolve));
  crashes += 1;
  cast('part', { type: 'break' });
  await Promise.race([again, top.exited]);
}
console.log(`after ${crashes} crashes top ended: ${end}`);

assert.deepEqual({ crashes, end }, { crashes: 4, end: 'shutdown' });
