// The program of docs/guide/pools.md: workers that come and go, and sessions that stay. Prints one JSON line for each chapter. Its argument is where the sessions are stored.
import path from 'node:path';

import {
  createRuntime,
  defineAdapter,
  isCaduceusError,
  secret,
  sqliteStore,
  type Args,
  type CaduceusError,
} from '../../../src/index.ts';

const scriptPath = path.resolve('docs/examples/pools/notebook_bridge.py');
const [file = 'sessions.db'] = process.argv.slice(2);
const show = (what: string, value: unknown): void => console.log(JSON.stringify([what, value]));

const thing = (args: Args) => String(args['id']);
const adapter = defineAdapter({
  framework: 'notebook',
  operations: {
    sign_in: { change: 'configure', secrets: ['token'] },
    write: { change: 'create', key: thing },
    extend: { change: 'update', key: thing },
    tear_out: { change: 'delete', key: thing },
    read: { idempotent: true },
    count: { batch: { maxSize: 32, maxWaitMs: 5 } },
    think: {},
    stumble: {},
    forget: {},
  },
  roles: { configure: 'sign_in', forget: 'forget' },
});
const runtime = await createRuntime({
  bridges: { notebook: { adapter, scriptPath, pool: { size: 2, overflow: 1 } } },
  store: sqliteStore(file),
  secrets: { NOTEBOOK_TOKEN: () => process.env['NOTEBOOK_TOKEN'] },
});
const notebook = runtime.pool('notebook');

// The runtime is there with the first worker; what follows wants both.
while (notebook.statistics().gauges.idle < 2) {
  await new Promise<void>((resolve) => {
    const end = runtime.on('child.ready', () => {
      end();
      resolve();
    });
  });
}

await notebook.call('ping'); // waits for what the store knows, too

const full = await Promise.allSettled(
  Array.from({ length: 4 }, () =>
    notebook.call('think', { seconds: 0.3 }, { checkoutTimeoutMs: 0 }),
  ),
);
show(
  'now or not at all',
  full.map((each) => (each.status === 'rejected' ? (each.reason as CaduceusError).code : 'done')),
);

const ada = { sessionId: 'ada' };
await notebook.call('write', { id: 'idea', text: 'a machine' }, ada);
await notebook.call('extend', { id: 'idea', text: 'that weaves' }, ada);
process.kill(notebook.workerOf('ada')?.pid ?? 0, 'SIGKILL');
const idea = await notebook.call('read', { id: 'idea' }, ada); // 'a machine that weaves'
show('sessions', idea);

await notebook.call('sign_in', { token: secret('NOTEBOOK_TOKEN') });
show('secrets', 'signed in');

await notebook.resize(3);
await notebook.reload({ timeoutMs: 30_000 });
show('workers', [notebook.statistics().size, await notebook.call('read', { id: 'idea' }, ada)]);

try {
  await notebook.call('stumble');
} catch (error) {
  if (isCaduceusError(error)) show('failures', [error.code, error.outcome, error.retryable]);
}

{
  await using worker = await notebook.checkout({ sessionId: 'ada', timeoutMs: 5_000 });
  await worker.call('write', { id: 'plan', text: 'punched' });
  await worker.call('extend', { id: 'plan', text: 'cards' });
  show('checkouts', await worker.call('read', { id: 'plan' }));
} // checked in

const lines = ['to be', 'or not', 'to be or not to be'];
const counts = await Promise.all(lines.map((text) => notebook.call('count', { text })));
show('batches', counts);

const { gauges, counters, waitMs } = notebook.statistics();
show('statistics', [
  counters.accepted ===
    counters.completed + counters.failed + counters.cancelled + gauges.queued + gauges.running,
  waitMs.count > 0,
]);

await notebook.drain({ timeoutMs: 10_000 });
await notebook.stop();
await notebook.start();
show('states', [notebook.statistics().state, await notebook.call('read', { id: 'plan' }, ada)]);

await notebook.endSession('ada');
await runtime.stop();
