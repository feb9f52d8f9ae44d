// What becomes of a process in which actors throw in every way that XState knows, and in those it lets escape? One line of JSON for each way.
import {
  assign,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  setup,
  type AnyActorLogic,
} from 'xstate';

import { startSupervisor, supervisor, System, type ActorRef } from '../../src/otp.ts';

const GO = 'go';
interface Go {
  readonly type: typeof GO;
}

/** A machine in which `go` does this. */
function machine(on: object, more: object = {}): AnyActorLogic {
  return setup({ types: { events: {} as Go } }).createMachine({
    initial: 'up',
    states: { up: { on: { [GO]: on } }, next: {}, ...more },
  });
}

function boom(): never {
  throw new Error('boom');
}

const failingPromise = fromPromise(async () => boom());

/** Each way in which an actor can throw after its start. The callbacks need no event: they throw a little later. */
const WAYS: Readonly<Record<string, AnyActorLogic>> = {
  action: machine({ actions: boom }),
  guard: machine({ guard: boom, target: 'next' }),
  assign: machine({ actions: assign(boom) }),
  entry: machine({ target: 'loud' }, { loud: { entry: boom } }),
  exit: machine({ target: 'next' }, { up: { exit: boom, on: { [GO]: 'next' } } }),
  'delayed action': machine({ target: 'late' }, { late: { after: { 5: { actions: boom } } } }),
  'invoked promise': machine({ target: 'asking' }, { asking: { invoke: { src: failingPromise } } }),
  'invoked callback, later': machine(
    { target: 'asking' },
    { asking: { invoke: { src: fromCallback(() => void setTimeout(boom, 5)) } } },
  ),
  'transition function': fromTransition(
    (state, event: Go) => (event.type === GO ? boom() : state),
    0,
  ),
  promise: fromPromise(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    boom();
  }),
  observable: fromObservable(() => ({
    subscribe: (observer: unknown) => {
      const { error } = observer as { readonly error: (error: Error) => void };
      const timer = setTimeout(() => error(new Error('boom')), 5);
      return { unsubscribe: () => clearTimeout(timer) };
    },
  })),
  'callback, on an event': fromCallback(({ receive }) => {
    receive(boom);
  }),
  'callback, in a timer': fromCallback(() => {
    setTimeout(boom, 5);
  }),
  'callback, in an immediate': fromCallback(() => {
    setImmediate(boom);
  }),
  'callback, asynchronous': fromCallback(
    // What people write, and what XState drops the promise of.
    (async () => {
      await Promise.resolve();
      boom();
    }) as never,
  ),
  'callback, a promise that nobody holds': fromCallback(() => {
    void Promise.resolve().then(boom);
  }),
  'callback, a refusal that nobody awaits': fromCallback(() => {
    void refused();
  }),
};

/** A supervisor rejects, in its own turn, what the actor had asked for. */
async function refused(): Promise<void> {
  const other = await startSupervisor({}, { system: new System() });
  void other.startChild({ id: 'child', start: boom });
}

interface Seen {
  readonly way: string;
  readonly restarted: boolean;
  readonly reason: string;
  readonly siblingEpoch: number;
  readonly reports: number;
}

/** The victim crashes, and is restarted once: then it behaves, so that the tree comes to rest. */
async function suffer(way: string, logic: AnyActorLogic): Promise<Seen> {
  const system = new System();
  const calm = machine({ target: 'next' });
  const reasons: string[] = [];
  const restarted = new Promise<void>((resolve) => {
    system.on('child.ready', ({ path, epoch }) => {
      if (path === 'root/victim' && epoch === 2) resolve();
    });
  });
  system.on('supervisor.reported', ({ reason }) => {
    reasons.push(
      typeof reason === 'string' || reason.type !== 'error' ? '?' : reason.error.message,
    );
  });
  const tree = await startSupervisor(
    {
      children: [
        { id: 'sibling', start: calm },
        {
          id: 'victim',
          start: (_input: never, { epoch }) => ({ logic: epoch === 1 ? logic : calm }),
        },
      ],
    },
    { system },
  );
  const victim = await refOf(tree, 'victim');
  if (!way.startsWith('callback, in') && !way.startsWith('callback, a')) victim?.send({ type: GO });
  await restarted;
  const sibling = await refOf(tree, 'sibling');
  await tree.stop();
  return {
    way,
    restarted: victim?.exitReason !== undefined,
    reason: reasons[0] ?? 'none',
    siblingEpoch: sibling?.epoch ?? 0,
    reports: reasons.length,
  };
}

async function refOf(
  tree: { whichChild(id: string): Promise<{ readonly child: unknown }> },
  id: string,
): Promise<ActorRef | undefined> {
  const { child } = await tree.whichChild(id);
  return child === undefined || child === 'restarting' ? undefined : (child as ActorRef);
}

/** A supervisor that throws itself: its judgement of a reason is user code. Its children must be stopped before its parent hears. */
async function sufferSupervisor(): Promise<object> {
  const system = new System();
  const order: string[] = [];
  system.on('child.stopped', ({ path }) => order.push(path));
  system.on('supervisor.stopped', ({ supervisor: path, reason }) => {
    order.push(`${path} ${reason.type}`);
  });
  const inner = supervisor({
    children: [
      { id: 'bystander', start: machine({ target: 'next' }) },
      { id: 'victim', name: 'victim', start: machine({ actions: boom }), isRetryable: boom },
    ],
  });
  const again = new Promise<void>((resolve) => {
    let times = 0;
    system.on('child.ready', ({ path }) => {
      if (path === 'root/inner/victim' && (times += 1) === 2) resolve();
    });
  });
  const tree = await startSupervisor({ children: [{ id: 'inner', start: inner }] }, { system });
  system.whereis('victim')?.send({ type: GO });
  await again;
  const before = [...order];
  await tree.stop();
  return { way: 'supervisor', order: before };
}

for (const [way, logic] of Object.entries(WAYS)) {
  process.stdout.write(`${JSON.stringify(await suffer(way, logic))}\n`);
}
process.stdout.write(`${JSON.stringify(await sufferSupervisor())}\n`);
