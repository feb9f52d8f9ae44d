// How does a function run in the background and is not lost? As a task: a supervised child that ends with its function.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { startTaskSupervisor } from '../../../src/otp.ts';

const tasks = await startTaskSupervisor({ maxChildren: 10 });

// A value that is awaited.
const sum = await tasks.async(() => 20 + 22);
assert.equal(await sum.await(1_000), 42);

// A failure is told to who awaits it.
const failing = await tasks.async(() => {
  throw new Error('no such city');
});
await assert.rejects(failing.await(), /no such city/u);

// Not there in time: ask again, or end it. Its signal tells the function.
const slow = await tasks.async(({ signal }) => sleep(60_000, 'late', { signal }));
assert.equal(await slow.yield(10), undefined);
assert.equal(await slow.shutdown(), undefined);

// Nobody wants the value.
await tasks.startChild(() => console.log('sent into the background'));

// Many, but only two at one time; the results come in the order of the input.
const cities = ['Bratislava', 'Oslo', 'Riga'];
const results = tasks.asyncStream(cities, (city) => sleep(5 * city.length, city.length), {
  maxConcurrency: 2,
});
const lengths: unknown[] = [];
for await (const result of results) {
  console.log(result);
  lengths.push(result.type === 'ok' ? result.value : result.reason);
}
assert.deepEqual(lengths, [10, 4, 4]);
assert.deepEqual(await tasks.tasks(), []); // none runs any more
await tasks.stop();
