// What do the rows stand on? A runtime around one small bridge, the folders of the programs, and deadlines.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  createRuntime,
  defineAdapter,
  type BridgeHandle,
  type Runtime,
  type TreeNode,
} from '../../src/index.ts';

/** The only bridge of a stage's runtime. */
const NAME = 'bench';

export interface StageOptions {
  /** A file of this folder. */
  readonly script: string;
  readonly python?: string;
  readonly pool?: Readonly<Record<string, number>>;
  readonly zygote?: boolean | { readonly preload: readonly string[] };
}

/** A running runtime with one bridge. `await using` stops it. */
export interface Stage extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly bridge: BridgeHandle;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const { script, python, pool = { size: 1 }, zygote = false } = options;
  const bridge = {
    adapter: defineAdapter({ framework: NAME, operations: {} }),
    scriptPath: join(benchFolder(), script),
    pool,
    zygote,
    ...(python === undefined ? {} : { python }),
  };
  const runtime = await createRuntime({ logger: false, bridges: { [NAME]: bridge } });
  return {
    runtime,
    bridge: runtime.pool(NAME),
    [Symbol.asyncDispose]: async () => {
      await runtime.stop();
    },
  };
}

/** Whether a living process was started by another one than us: by a zygote. False where the system does not say. */
export function isForked(pid: number): boolean {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    return Number(fields.split(' ')[1]) !== process.pid;
  } catch {
    return false;
  }
}

/** Every process of a runtime's tree, by the path of its node's ids. */
export function processesOf(runtime: Runtime): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const visit = (node: TreeNode, above: string): void => {
    const path = `${above}/${node.id}`;
    if (node.pid !== undefined) found.set(path, node.pid);
    for (const child of node.children) visit(child, path);
  };
  visit(runtime.tree(), '');
  return found;
}

/** Top of the checkout. */
export function rootFolder(): string {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  return root;
}

/** Where the Python programs lie: the build has none of them. */
export function benchFolder(): string {
  return join(rootFolder(), 'test', 'bench');
}

/** The interpreter that the project set up, with DSPy. */
export function projectPython(): string {
  return process.env['CADUCEUS_PYTHON'] ?? join(rootFolder(), '.venv', 'bin', 'python');
}

/** A private folder for sockets, gone when `work` has ended, or the process, whichever comes first. */
export async function withScratch<Result>(
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await work(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** Reject when `work` takes longer: a peer that hangs must not hang the run. */
export async function within<Result>(
  work: Promise<Result>,
  limitMs: number,
  what: string,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} took longer than ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
