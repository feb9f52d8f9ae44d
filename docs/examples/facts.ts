// What has the runtime told so far, and what will it tell next? Waits for events, and every process that was ever started.
import type { BusEventName, BusEvents, Runtime, TreeNode } from '../../src/index.ts';
import { MainJobError } from './happenings.ts';

const WAIT_MS = 60_000;

/** An event and when it came, on the clock of `performance.now()`. */
export interface Dated<Event> {
  readonly event: Event;
  readonly nowMs: number;
}

/** The next event that fits. It is waited for from the call on, so ask before you cause it. */
export function nextEvent<Name extends BusEventName>(
  runtime: Runtime,
  name: Name,
  fits: (event: BusEvents[Name]) => boolean,
  signal: AbortSignal,
): Promise<Dated<BusEvents[Name]>> {
  const event = new Promise<Dated<BusEvents[Name]>>((resolve, reject) => {
    const limit = AbortSignal.timeout(WAIT_MS);
    const stop = (): void => {
      for (const end of ends) end();
      for (const each of [limit, signal]) each.removeEventListener('abort', fail);
    };
    const fail = (): void => {
      stop();
      reject(new MainJobError(`waited for ${name}, which did not come`, { cause: signal.reason }));
    };
    const ends = [
      runtime.on(name, (found) => {
        if (!fits(found)) return;
        stop();
        resolve({ event: found, nowMs: performance.now() });
      }),
      runtime.on('pool.failed', ({ error }) => {
        stop();
        reject(error);
      }),
    ];
    for (const each of [limit, signal]) each.addEventListener('abort', fail);
    if (signal.aborted) fail();
  });
  // A run that ends early leaves events unawaited, which is no error of its own.
  event.catch(() => undefined);
  return event;
}

/** All workers of the tree, wherever they are in it. */
export function workersOf(node: TreeNode): readonly TreeNode[] {
  return node.children.flatMap((child) => (child.kind === 'worker' ? [child] : workersOf(child)));
}

/** Settles when no worker is on its way up: sessions then spread over all of them. */
export async function allWorkersReady(runtime: Runtime, signal: AbortSignal): Promise<void> {
  const waits = workersOf(runtime.tree())
    .filter(({ state }) => state !== 'ready' && state !== 'busy')
    .map(({ path }) => nextEvent(runtime, 'child.ready', (event) => event.path === path, signal));
  await Promise.all(waits);
}

/** Every process that the runtime has started so far and will start; the set grows by itself. */
export function processesOf(runtime: Runtime): ReadonlySet<number> {
  const pids = new Set<number>();
  for (const { pid } of workersOf(runtime.tree())) if (pid !== undefined) pids.add(pid);
  runtime.on('child.launched', ({ pid }) => pids.add(pid));
  runtime.on('child.greeted', ({ hello }) => pids.add(hello.pid));
  return pids;
}
