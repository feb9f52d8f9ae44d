// How do actors find each other and talk? By names and registries, with casts, calls and monitors.
import assert from 'node:assert/strict';
import { assign, setup } from 'xstate';

import {
  call,
  cast,
  monitor,
  registry,
  registryNamed,
  reply,
  self,
  startSupervisor,
  via,
  whereis,
  type From,
} from '../../../src/otp.ts';

const account = setup({
  types: {
    context: {} as { balance: number },
    events: {} as
      { type: 'deposit'; amount: number } | { type: 'balance'; from: From } | { type: 'break' },
  },
}).createMachine({
  context: { balance: 0 },
  on: {
    deposit: {
      actions: assign({ balance: ({ context, event }) => context.balance + event.amount }),
    },
    // `from` is the return address of a call.
    balance: { actions: ({ context, event }) => reply(event.from, context.balance) },
    break: {
      actions: () => {
        throw new Error(`broken: ${self()?.path}`);
      },
    },
  },
});

const top = await startSupervisor({
  name: 'bank',
  children: [
    { id: 'accounts', start: registry({ name: 'accounts', keys: 'unique' }) },
    { id: 'ann', start: account, name: via('accounts', 'ann') },
    { id: 'vault', start: account, name: 'vault' },
  ],
});

const ann = via('accounts', 'ann');
cast(ann, { type: 'deposit', amount: 40 }); // tells, and waits for nothing
const balance = await call<number>(ann, { type: 'balance' }); // asks, and waits 5 s at most
console.log(`balance: ${balance}`);
assert.equal(balance, 40);

// A reference is one incarnation; a name is whoever has it now.
const before = whereis('vault');
assert.ok(before !== undefined);
const down = new Promise<string>((resolve) => {
  monitor(before, ({ reason }) => resolve(reason.type === 'error' ? reason.error.message : ''));
});
cast('vault', { type: 'break' });
console.log(`monitor: ${await down}`);
assert.equal(before.exitReason?.type, 'error');
assert.equal(whereis('vault')?.epoch, 2);
await assert.rejects(call(before, { type: 'balance' }), { code: 'noproc', outcome: 'notSent' });

// A registry holds values too, and forgets who has died.
const accounts = registryNamed<string, { currency: string }>('accounts');
const vault = whereis('vault');
assert.ok(vault !== undefined);
accounts.register('main vault', { currency: 'EUR' }, { as: vault });
assert.equal(accounts.lookup('main vault')[0]?.value.currency, 'EUR');
assert.equal(accounts.count(), 2); // its own, and ann's name
cast('vault', { type: 'break' });
assert.equal(accounts.count(), 1);
await top.stop();
