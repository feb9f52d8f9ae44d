// Where do XState's habits and OTP's differ? Outputs, catch-alls, errors of inner actors, and answers that come late.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMachine, fromCallback, fromPromise, setup } from 'xstate';

import {
  call,
  cast,
  defaultSystem,
  exit,
  formatExitReason,
  reply,
  startSupervisor,
  type From,
} from '../../../src/otp.ts';

const inner = { load: fromPromise(() => Promise.reject(new Error('disk full'))) };

// 1. The output of a final state is not the machine's output.
const ending = {
  initial: 'up',
  states: {
    up: { on: { fail: 'failed' } },
    failed: { type: 'final', output: () => exit(new Error('told')) },
  },
} as const;
const mute = createMachine(ending);
const telling = createMachine({ ...ending, output: ({ event }) => event.output });

// 2. `*` takes the errors of invoked actors as well.
const swallowing = setup({ actors: inner }).createMachine({
  invoke: { src: 'load' },
  on: { '*': { actions: () => undefined } },
});
const careful = setup({ actors: inner }).createMachine({
  invoke: { src: 'load' },
  on: {
    '*': { guard: ({ event }) => !event.type.startsWith('xstate.'), actions: () => undefined },
  },
});

// 3. An `onError` that goes to a state like any other is an ordinary transition: no crash, no restart.
const forgiving = setup({ actors: inner }).createMachine({
  initial: 'loading',
  states: { loading: { invoke: { src: 'load', onError: 'failed' } }, failed: {} },
});

defaultSystem().on('child.crashed', ({ path, reason }) => {
  console.log(`${path}: ${formatExitReason(reason)}`);
});
const logics = { mute, telling, swallowing, careful, forgiving };
const children = Object.entries(logics).map(([id, start]) => ({
  ...{ id, start, name: id },
  restart: 'temporary' as const,
}));
const top = await startSupervisor({ name: 'top', children });
cast('mute', { type: 'fail' });
cast('telling', { type: 'fail' });
await sleep(50);
const alive = top.statistics().children.map(({ key }) => key);
console.log(`still alive: ${alive.join(', ')}`);
assert.deepEqual(alive, ['swallowing', 'forgiving']);

// 4. A call that has timed out is not called off: the answer comes, and is dropped.
const slow = fromCallback<{ type: 'ask'; from: From }>(({ receive }) => {
  receive(({ from }) => setTimeout(() => reply(from, 'at last'), 30));
});
await top.startChild({ id: 'slow', start: slow, name: 'slow' });
const dropped = new Promise((resolve) => defaultSystem().on('reply.dropped', resolve));
await assert.rejects(call('slow', { type: 'ask' }, { timeoutMs: 5 }), { code: 'timeout' });
await dropped;
console.log('the late answer was dropped');

// 5. Errors in timers and forgotten promises are crashes of the child, not of the program.
const careless = fromCallback<{ type: 'go' }>(({ receive }) => {
  receive(() => void Promise.reject(new Error('nobody listens')));
});
await top.startChild({ id: 'careless', start: careless, name: 'careless' });
cast('careless', { type: 'go' });
await sleep(50);
assert.equal(top.statistics().children.find(({ key }) => key === 'careless')?.epoch, 2);
await top.stop();
