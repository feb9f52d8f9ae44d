// Who else goes down when one child crashes, and who comes back? Three strategies, the same crash.
import assert from 'node:assert/strict';
import { createMachine } from 'xstate';

import { cast, startSupervisor, System, type Strategy } from '../../../src/otp.ts';

const part = createMachine({
  on: {
    break: {
      actions: () => {
        throw new Error('broken');
      },
    },
  },
});

async function breakB(strategy: Strategy): Promise<string> {
  const system = new System();
  const seen: string[] = [];
  system.on('child.crashed', ({ path }) => seen.push(`${path} crashed`));
  system.on('child.stopped', ({ path }) => seen.push(`${path} stopped`));
  system.on('child.ready', ({ path, epoch }) => seen.push(`${path} started (epoch ${epoch})`));
  const children = ['a', 'b', 'c'].map((id) => ({ id, start: part, name: id }));
  const top = await startSupervisor({ name: 'top', strategy, children }, { system });
  seen.length = 0;
  cast('b', { type: 'break' }, { system });
  await top.countChildren();
  const text = `${strategy}: ${seen.join(', ')}`.replaceAll('top/', '');
  await top.stop();
  return text;
}

console.log(await breakB('one_for_one'));
console.log(await breakB('one_for_all'));
console.log(await breakB('rest_for_one'));

assert.match(await breakB('one_for_one'), /: b crashed, b started \(epoch 2\)$/u);
assert.match(await breakB('one_for_all'), /c stopped, a stopped, a started.*b started.*c started/u);
assert.match(await breakB('rest_for_one'), /: b crashed, c stopped, b started.*, c started/u);
