// A program that embeds the runtime and is then ended by its test in some bad way. It tells what it started on stdout, one JSON object a line.
import { createRuntime, defineAdapter } from '../../src/index.ts';

/** What it is asked to do, as JSON in its only argument. */
export interface HostOrder {
  readonly script: string;
  readonly python: string;
  /** Called once on each worker; what the worker prints as `pid <n>` is told. */
  readonly op: string;
  readonly size: number;
  /** After the calls have begun: wait to be killed, stop in order, or just exit. */
  readonly then: 'wait' | 'stop' | 'exit';
}

export type HostFact =
  | { readonly type: 'pid'; readonly pid: number }
  | { readonly type: 'busy' }
  | { readonly type: 'replaced'; readonly pid: number | undefined }
  | { readonly type: 'crashed' }
  | { readonly type: 'stopped' };

const order = JSON.parse(process.argv[2] ?? '') as HostOrder;
const tell = (fact: HostFact): void => void process.stdout.write(`${JSON.stringify(fact)}\n`);

const runtime = await createRuntime({
  python: order.python,
  logger: false,
  bridges: {
    orphan: {
      adapter: defineAdapter({ framework: 'orphan', operations: {} }),
      scriptPath: order.script,
      pool: { size: order.size },
    },
  },
});

let busyCount = 0;
let go = (): void => undefined;
const areAllBusy = new Promise<void>((resolve) => {
  go = resolve;
});
runtime.on('worker.output', ({ line }) => {
  const [word, pid] = line.split(' ');
  if (word === 'pid') tell({ type: 'pid', pid: Number(pid) });
  if (word !== 'busy') return;
  busyCount += 1;
  tell({ type: 'busy' });
  if (busyCount === order.size) go();
});
runtime.on('guardian.replaced', ({ pid }) => tell({ type: 'replaced', pid }));
runtime.on('child.crashed', () => tell({ type: 'crashed' }));

// The runtime is there with its first worker; a session that is bound while it is the only one would wait behind another's for ever.
while (runtime.pool('orphan').statistics().gauges.idle < order.size) {
  await new Promise((resolve) => setTimeout(resolve, 5));
}
for (let worker = 0; worker < order.size; worker += 1) {
  const sessionId = String(worker);
  runtime
    .pool('orphan')
    .call(order.op, {}, { sessionId, timeoutMs: 600_000 })
    .catch(() => undefined);
}
await areAllBusy;
if (order.then === 'stop') {
  await runtime.stop();
  tell({ type: 'stopped' });
}
if (order.then === 'exit') process.exit(0);
