// How does a worker start whose interpreter and socket have to be found first? At once, as a port that has no process yet.
import { errorFrom } from '../ground/error-from.ts';
import type { ExitReason } from '../ground/exit-reason.ts';
import { KILLED } from '../ground/exit-reason.ts';
import { runInside } from '../lifecycle/crash-trap.ts';
import type { BridgeSource, ProcessLimits } from '../port/message.ts';
import type { Port, PortAbility, PortFact } from '../port/port-types.ts';
import { openIncarnation, type Incarnation } from './incarnation.ts';
import type { InterpreterWish, Lease, WorkerHub } from './worker-hub.ts';

export interface LateRequest {
  readonly limits?: ProcessLimits | undefined;
  readonly bridge: BridgeSource;
  readonly interpreter: InterpreterWish;
  readonly args: readonly string[];
  readonly stdio?: 'lanes' | 'wire' | undefined;
  /** The environment of the process, asked for when it starts. */
  readonly env: () => Readonly<Record<string, string>>;
}

type State =
  | { readonly type: 'preparing' }
  | { readonly type: 'open'; readonly inner: Incarnation; readonly lease: Lease }
  | { readonly type: 'over' };

const NOT_YET: ReadonlySet<PortAbility> = new Set();

/** An incarnation that prepares before it has a process. Told to end meanwhile, it has ended; nothing is left behind. */
export function openLate(
  worker: { readonly path: string; readonly epoch: number },
  hub: WorkerHub,
  request: LateRequest,
  onFact: (fact: PortFact) => void,
): Incarnation {
  let state: State = { type: 'preparing' };
  const exit = (reason: ExitReason): void => {
    if (state.type !== 'preparing') return;
    state = { type: 'over' };
    onFact({ type: 'exited', report: { reason, stderrTail: '' } });
  };
  const take = (executable: string, lease: Lease): void => {
    if (state.type !== 'preparing') {
      lease.end();
      return;
    }
    try {
      const { bridge, args, stdio, limits, env } = request;
      const spawn = { command: executable, args, stdio, env: env() };
      const inner = openIncarnation(
        worker,
        { bridge, spawn, limits, makeScratch: lease.makeScratch },
        lease.ports,
        onFact,
      );
      state = { type: 'open', inner, lease };
    } catch (cause) {
      lease.end();
      exit({ type: 'error', error: errorFrom(cause) });
    }
  };
  // As nobody's code: the socket outlives this worker and whoever had it started.
  runInside(undefined, () => {
    prepare(hub, request.interpreter).then(
      ({ executable, lease }) => take(executable, lease),
      (cause: unknown) => exit({ type: 'error', error: errorFrom(cause) }),
    );
  });
  const end = (): void => hub.ports.clock.afterPoll(() => exit(KILLED));
  const close = (): void => {
    const last = state;
    state = { type: 'over' };
    if (last.type !== 'open') return;
    last.inner.cleanUp();
    last.lease.end();
  };
  const portNow = (): Port | undefined => (state.type === 'open' ? state.inner.port : undefined);
  return { port: latePort(portNow, { end, close }), cleanUp: close };
}

/** The port that there is by now; until then nobody hears what is said, and whoever is to end has ended. */
function latePort(
  portNow: () => Port | undefined,
  early: { readonly end: () => void; readonly close: () => void },
): Port {
  return {
    get abilities() {
      return portNow()?.abilities ?? NOT_YET;
    },
    call: (id, message, when) => portNow()?.call(id, message, when),
    answer: (message) => portNow()?.answer(message),
    control: (order) => portNow()?.control(order),
    notify: (signal) => portNow()?.notify(signal),
    shutdown: () => {
      const port = portNow();
      if (port === undefined) early.end();
      else port.shutdown();
    },
    kill: (signal) => {
      const port = portNow();
      if (port === undefined) early.end();
      else port.kill(signal);
    },
    close: early.close,
  };
}

async function prepare(
  hub: WorkerHub,
  wish: InterpreterWish,
): Promise<{ readonly executable: string; readonly lease: Lease }> {
  const { executable } = await hub.interpreter(wish);
  return { executable, lease: await hub.lease(executable) };
}
