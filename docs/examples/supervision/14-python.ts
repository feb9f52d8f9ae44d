// How does a Python process become a child among others? By `pythonWorker`, with the same words for its life and its end.
import assert from 'node:assert/strict';
import { createMachine } from 'xstate';

import {
  call,
  defaultSystem,
  formatExitReason,
  pythonWorker,
  startSupervisor,
} from '../../../src/otp.ts';

defaultSystem().on('supervisor.decided', ({ child, reason, verdict, stops, starts }) => {
  console.log(`${child} ended (${formatExitReason(reason)}): ${verdict}`);
  console.log(`  stops ${stops.join(', ')}; starts ${starts.join(', ')}`);
});

const top = await startSupervisor({
  strategy: 'rest_for_one',
  children: [
    {
      id: 'words',
      name: 'words',
      start: pythonWorker({ script: 'docs/examples/supervision/words.py' }),
      shutdown: 2_000,
    },
    // Started when the worker is ready, and again after each restart of it.
    { id: 'cache', start: createMachine({}) },
  ],
});

const count = (text: unknown) => call<number>('words', { type: 'count', args: { text } });
assert.equal(await count('to be or not to be'), 6);
await assert.rejects(count(42), {
  name: 'PythonError',
  pythonType: 'AttributeError',
});
// A process can really be killed, and here it kills itself in the middle of a call.
await assert.rejects(call('words', { type: 'crash' }), {
  code: 'exit',
  reason: { type: 'signal', signal: 'SIGKILL' },
  outcome: 'maybeExecuted',
});
await top.countChildren(); // answered when the restart is done
assert.equal(await count('once more'), 2);
await top.stop();
