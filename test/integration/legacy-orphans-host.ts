// A program that embeds the runtime with v1 scripts and is then killed by its test: it tells its workers' pids on stdout, one a line, then `busy`.
import { createRuntime, defineAdapter } from '../../src/index.ts';

const [scriptPath = '', python = ''] = process.argv.slice(2);
const SIZE = 2;

const runtime = await createRuntime({
  python,
  logger: false,
  bridges: {
    legacy: {
      adapter: defineAdapter({ framework: 'legacy', operations: {} }),
      scriptPath,
      protocol: 'v1',
      pool: { size: SIZE },
    },
  },
});
const tell = (line: string): void => void process.stdout.write(`${line}\n`);
const pool = runtime.pool('legacy');

while (pool.statistics().gauges.idle < SIZE) {
  await new Promise<void>((resolve) => {
    const end = runtime.on('child.ready', () => {
      end();
      resolve();
    });
  });
}

// One computes, with a child of its own, and the other is idle.
const busy = { sessionId: 'busy', timeoutMs: 600_000 };
tell(String(await pool.call('grandchild', {}, busy)));
for (const worker of runtime.tree().children[0]?.children ?? []) tell(String(worker.pid));
runtime.on('worker.output', () => tell('busy'));
await pool.call('complain', {}, busy).catch(() => undefined);
