// How does a whole branch end when its work is done? Significant children, and a supervisor that ends with them.
import assert from 'node:assert/strict';
import { fromCallback, fromPromise } from 'xstate';

import { defaultSystem, startSupervisor, supervisor } from '../../../src/otp.ts';

const importing = fromPromise(async ({ input }: { input: { table: string } }) => {
  console.log(`${input.table} imported`);
});
const progressBar = fromCallback(() => () => console.log('progress bar gone'));

const batch = supervisor({
  autoShutdown: 'all_significant',
  children: [
    { id: 'progress', start: progressBar },
    ...['users', 'orders'].map((table) => ({
      ...{ id: table, start: importing, input: { table } },
      ...{ restart: 'transient' as const, significant: true },
    })),
  ],
});

const ended = new Promise<string>((resolve) => {
  defaultSystem().on('supervisor.stopped', ({ supervisor: path }) => resolve(path));
});
const top = await startSupervisor({
  name: 'top',
  children: [{ id: 'batch', start: batch, restart: 'temporary' }],
});
console.log(`${await ended} ended by itself`);
const { specs } = await top.countChildren();
console.log(`top is ${top.statistics().state}, with ${specs} children`);
await top.stop();

assert.equal(specs, 0);
