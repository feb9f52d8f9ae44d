// What happens when a child cannot start? It depends on who asked: the first start fails, a restart is tried again.
import assert from 'node:assert/strict';
import { createMachine } from 'xstate';

import {
  BadChildSpecError,
  cast,
  defaultSystem,
  StartChildError,
  startSupervisor,
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
const refusing = () => {
  throw new Error('port in use');
};

// 1. The first start of a tree: all or nothing.
defaultSystem().on('child.stopped', ({ path }) => console.log(`${path} stopped`));
const failure: unknown = await startSupervisor({
  name: 'top',
  children: [
    { id: 'one', start: part },
    { id: 'two', start: refusing },
    { id: 'three', start: part },
  ],
}).catch((error: unknown) => error);
assert.ok(failure instanceof StartChildError);
console.log(failure.message);

// 2. A mistake in the flags or a specification: nothing is started at all.
await assert.rejects(
  startSupervisor({ children: [{ id: 'one', start: part, shutdown: -1 }] }),
  (error) => error instanceof BadChildSpecError && error.field === 'children[0].shutdown',
);

// 3. A restart: tried again, and every try counts as a restart.
let starts = 0;
const flaky = () => {
  starts += 1;
  if (starts === 2 || starts === 3) throw new Error('not yet');
  return { logic: part };
};
const top = await startSupervisor({ children: [{ id: 'flaky', start: flaky, name: 'flaky' }] });
const again = new Promise((resolve) => defaultSystem().on('child.ready', resolve));
cast('flaky', { type: 'break' });
await again;
console.log(`up again at start ${starts}, restarts counted: ${top.statistics().restartsInWindow}`);
assert.deepEqual([starts, top.statistics().restartsInWindow], [4, 3]);

// 4. A child that a caller starts: the caller is told, and nothing is kept.
await assert.rejects(top.startChild({ id: 'two', start: refusing }), StartChildError);
assert.equal((await top.countChildren()).specs, 1);

// 5. A start that takes too long has failed, and hears so by its signal.
const slow = (_input: unknown, { signal }: { signal: AbortSignal }) =>
  new Promise<never>(() => signal.addEventListener('abort', () => console.log('given up')));
await assert.rejects(top.startChild({ id: 'slow', start: slow, startTimeoutMs: 20 }), {
  code: 'failed_to_start_child',
  reason: { type: 'timeout', what: 'start' },
});
await top.stop();
