// A program whose zygote forks one worker after the other, to be killed by its test while that goes on. It tells each pid on stdout, one a line.
import { createRuntime, defineAdapter } from '../../src/index.ts';

const [, , python = '', script = '', size = '1'] = process.argv;

const runtime = await createRuntime({
  python,
  logger: false,
  bridges: {
    sample: {
      adapter: defineAdapter({ framework: 'sample', operations: {} }),
      scriptPath: script,
      pool: { size: Number(size) },
    },
  },
});

const tell = (pid: number | undefined): void => {
  if (pid !== undefined) process.stdout.write(`${pid}\n`);
};
// The tree as it is with the first worker that is ready; the others are on their way.
const [pool] = runtime.tree().children;
for (const child of pool?.children ?? []) {
  tell(child.pid);
  for (const { pid } of child.children) tell(pid);
}
runtime.on('child.launched', ({ pid }) => tell(pid));
