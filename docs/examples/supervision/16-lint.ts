// Which trees are legal and still seldom what was meant? A linter knows some, and is asked at every start.
import assert from 'node:assert/strict';
import { fromCallback, setup } from 'xstate';

import { lintTree, supervisor, type SupervisorFlags } from '../../../src/otp.ts';

const idle = fromCallback(() => undefined);
const feed = setup({ actors: { poll: idle } }).createMachine({
  invoke: { id: 'poll', src: 'poll' },
  on: { '*': { actions: () => undefined }, 'caduceus.shutdown': { actions: () => undefined } },
});

const shop: SupervisorFlags = {
  name: 'shop',
  autoShutdown: 'any_significant', // but nobody is significant
  children: [
    { id: 'feed', start: feed, shutdown: 'infinity' },
    {
      id: 'jobs',
      start: supervisor({ maxRestarts: 200, children: [{ id: 'mail', start: idle }] }),
      restart: 'transient',
    },
  ],
};
const findings = lintTree(shop);
for (const { rule, path } of findings) console.log(`${rule}: ${path}`);
console.log(findings.find(({ rule }) => rule === 'swallowed_errors')?.message);

assert.equal(findings.length, 5);
