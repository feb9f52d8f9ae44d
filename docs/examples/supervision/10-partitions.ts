// How does one child that is a bottleneck become several? A partition supervisor: each key always meets the same one.
import assert from 'node:assert/strict';
import { fromCallback } from 'xstate';

import { call, partitionOf, reply, startPartitionSupervisor, type From } from '../../../src/otp.ts';

interface Visit {
  readonly type: 'visit';
  readonly who: string;
  readonly from?: From;
}
const visits = fromCallback<Visit>(({ receive }) => {
  const counts = new Map<string, number>();
  receive(({ who, from }) => {
    counts.set(who, (counts.get(who) ?? 0) + 1);
    reply(from, counts.get(who));
  });
});

const sup = await startPartitionSupervisor({
  name: 'visits',
  partitions: 4,
  child: { start: visits },
});
const visit = (who: string) => call<number>(partitionOf('visits', who), { type: 'visit', who });

await visit('ann');
await visit('bob');
const times = await visit('ann');
console.log(`ann was here ${times} times`);
assert.equal(times, 2);
assert.equal(partitionOf('visits', 'ann'), partitionOf('visits', 'ann'));
assert.equal(partitionOf('visits', 6).id, '2'); // whole numbers go by their remainder: 6 % 4

await sup.resize(2); // the others stop
const standing = (await sup.whichChildren()).map(({ child }) => (child ? 'up' : 'down'));
console.log(standing.join(', '));
assert.deepEqual(standing, ['up', 'up', 'down', 'down']);
assert.equal(await sup.resize(4), 2); // the result is what there was before
await sup.stop();
