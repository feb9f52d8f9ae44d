// What is a case's tree on our side? The real supervisors, with children that do as their plans say, and a record of who starts and ends.
import { assign, setup, type AnyStateMachine } from 'xstate';

import { exit } from '../../actors/lifecycle/exit.ts';
import { lifecycleStart, type StartOrder } from '../../actors/lifecycle/child.ts';
import { incarnationOf, type ActorRef } from '../../actors/lifecycle/ref.ts';
import type { StartContext, Started } from '../../actors/lifecycle/start-function.ts';
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { supervisor } from '../../supervisors/start-supervisor.ts';
import { BadChildSpecError } from '../../supervisors/supervision-errors.ts';
import { checkFlags, type SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { SupervisorHandle } from '../../supervisors/supervisor-handle.ts';
import { Supervisor } from '../../supervisors/supervisor.ts';
import {
  pathText,
  type ChildPlan,
  type Ending,
  type Manner,
  type Outcome,
  type Path,
  type SupervisorPlan,
  type WorkerPlan,
} from './case.ts';
import type { TraceEvent } from './trace.ts';

/** One incarnation, whoever has it now. */
export interface Process {
  readonly path: string;
  readonly n: number;
  readonly ref: ActorRef;
  /** Of a supervisor. */
  readonly handle: SupervisorHandle | undefined;
}

/** What is known of one run. */
export class Book {
  readonly #attempts = new Map<string, number>();
  readonly #scripts = new Map<string, Outcome[]>();
  readonly #latest = new Map<string, Process>();
  readonly #names = new Map<ActorRef, string>();
  #events: TraceEvent[] = [];

  /** Events since this was last asked. */
  takeEvents(): readonly TraceEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  note(event: TraceEvent): void {
    this.#events.push(event);
  }

  nextAttempt(path: string): number {
    const n = (this.#attempts.get(path) ?? 0) + 1;
    this.#attempts.set(path, n);
    return n;
  }

  script(path: string, outcomes: readonly Outcome[]): void {
    this.#scripts.set(path, [...outcomes]);
  }

  /** What a step of the case has ordered comes first, then the plan's own list, then success. */
  outcome(path: string, n: number, { starts }: WorkerPlan): Outcome {
    return this.#scripts.get(path)?.shift() ?? starts[n - 1] ?? 'ok';
  }

  enter(process: Process): void {
    this.#latest.set(process.path, process);
    this.#names.set(process.ref, `${process.path}#${process.n}`);
  }

  latest(path: string): Process | undefined {
    return this.#latest.get(path);
  }

  /** The last one of this path, while it lives. */
  living(path: string): Process | undefined {
    const process = this.#latest.get(path);
    return process?.ref.exitReason === undefined ? process : undefined;
  }

  nameOf(ref: ActorRef): string {
    return this.#names.get(ref) ?? 'stranger';
  }
}

/** The extra input of a child of a `simple_one_for_one`: its label, or a gate. */
type DynamicInput = { readonly label: string } | { readonly gate: Promise<'ignore'> };

/** The flags of the supervisor at `path`. */
export function flagsOf(book: Book, plan: SupervisorPlan, path: Path): SupervisorFlags {
  const { strategy, intensity, periodS, autoShutdown, children } = plan;
  const specs = children.map((child) =>
    strategy === 'simple_one_for_one'
      ? templateSpec(book, child, path)
      : childSpec(book, child, path),
  );
  return {
    strategy,
    maxRestarts: intensity,
    periodMs: periodS * 1_000,
    autoShutdown,
    children: specs,
  };
}

/** The specification of a child of the supervisor at `path`. */
export function childSpec(book: Book, plan: ChildPlan, path: Path): ChildSpec {
  const { id, restart, significant, shutdown } = plan;
  const own = [...path, id];
  const start =
    plan.kind === 'worker'
      ? (_: unknown, context: StartContext) => startWorker(book, plan, own, context)
      : nested(book, plan, own);
  return { id, restart, significant, shutdown, start, type: plan.kind };
}

function templateSpec(book: Book, plan: ChildPlan, path: Path): ChildSpec {
  if (plan.kind !== 'worker') throw new Error('a template is a worker');
  const { id, restart, significant, shutdown } = plan;
  const start = (
    input: DynamicInput,
    context: StartContext,
  ): Started | 'ignore' | Promise<'ignore'> =>
    'gate' in input ? input.gate : startWorker(book, plan, [...path, input.label], context);
  return { id, restart, significant, shutdown, start, type: 'worker' };
}

function startWorker(
  book: Book,
  plan: WorkerPlan,
  own: Path,
  { self }: StartContext,
): Started | 'ignore' {
  const path = pathText(own);
  const n = book.nextAttempt(path);
  const outcome = book.outcome(path, n, plan);
  book.note({ type: 'start', path, n, outcome });
  if (outcome === 'ignore') return 'ignore';
  if (outcome === 'error') throw new Error('refused');
  book.enter({ path, n, ref: self, handle: undefined });
  incarnationOf(self).whenEnded((reason) => {
    book.note({ type: 'exit', path, n, reason: reasonText(reason) });
  });
  return { logic: WORKERS[plan.manner] };
}

/** A supervisor as a child, with its start and end in the book. */
function nested(book: Book, plan: SupervisorPlan, own: Path): ReturnType<typeof lifecycleStart> {
  return lifecycleStart('supervisor', (ports) => (order) => {
    const path = pathText(own);
    const n = book.nextAttempt(path);
    book.note({ type: 'start', path, n, outcome: 'supervisor' });
    const flags = flagsOf(book, plan, own);
    const listener: StartOrder['listener'] = (fact) => {
      if (fact.type === 'child.stopped') {
        book.note({ type: 'exit', path, n, reason: reasonText(fact.reason) });
      }
      order.listener(fact);
    };
    const life = supervisor(flags).make(ports)({ ...order, listener });
    if (!(life instanceof Supervisor)) throw new Error('a supervisor is expected');
    const exited = new Promise<ExitReason>((resolve) => {
      incarnationOf(life.ref).whenEnded(resolve);
    });
    const handle = new SupervisorHandle(life, checkFlags(flags), exited);
    book.enter({ path, n, ref: life.ref, handle });
    return life;
  });
}

const machines = setup({
  types: {
    context: {} as { readonly how: Ending | Manner },
    events: {} as
      { readonly type: 'end'; readonly how: Ending } | { readonly type: 'caduceus.shutdown' },
  },
  guards: { isCrash: (_, { how }: { how: Ending }) => how === 'crash' },
  actions: {
    crash: () => {
      throw new Error('crash');
    },
    goOn: () => undefined,
    record: assign((_, { how }: { how: Ending | Manner }) => ({ how })),
  },
});

/** A worker that ends when it is told to, and does not know `caduceus.shutdown`. */
function worker(manner: Manner): AnyStateMachine {
  return machines.createMachine({
    id: `worker ${manner}`,
    context: { how: 'normal' },
    initial: 'up',
    output: ({ context }) => exit(endingReason(context.how)),
    states: {
      up: {
        on: {
          end: [
            { guard: { type: 'isCrash', params: ({ event }) => event }, actions: 'crash' },
            { target: 'over', actions: { type: 'record', params: ({ event }) => event } },
          ],
          ...onShutdown(manner),
        },
      },
      over: { type: 'final' },
    },
  });
}

function onShutdown(manner: Manner) {
  switch (manner) {
    case 'plain':
      return {};
    case 'ignores':
      return { 'caduceus.shutdown': { actions: 'goOn' } } as const;
    case 'obeys':
    case 'normal':
    case 'detail':
    case 'crash':
      return {
        'caduceus.shutdown': {
          target: 'over',
          actions: { type: 'record', params: { how: manner } },
        },
      } as const;
    default:
      return manner satisfies never;
  }
}

const WORKERS: Readonly<Record<Manner, AnyStateMachine>> = {
  plain: worker('plain'),
  obeys: worker('obeys'),
  ignores: worker('ignores'),
  normal: worker('normal'),
  detail: worker('detail'),
  crash: worker('crash'),
};

/** The reason with which a worker ends that ends so. */
export function endingReason(how: Ending | Manner): ExitReason {
  switch (how) {
    case 'normal':
    case 'killed':
      return { type: how };
    case 'detail':
      return { type: 'shutdown', detail: 'detail' };
    case 'crash':
      return { type: 'error', error: new Error('crash') };
    case 'shutdown':
    case 'obeys':
    case 'plain':
    case 'ignores':
      return { type: 'shutdown' };
    default:
      return how satisfies never;
  }
}

/** The reason as the Erlang side writes it. */
export function reasonText(reason: ExitReason): string {
  if (reason.type === 'error') {
    const { error } = reason;
    return error instanceof BadChildSpecError
      ? `bad_spec(${error.problem})`
      : `error(${error.message})`;
  }
  if (reason.type !== 'shutdown' || reason.detail === undefined) return reason.type;
  if (typeof reason.detail === 'string') return `shutdown(${reason.detail})`;
  const detail = reason.detail as { failed_to_start_child: string; reason: ExitReason };
  return `failed_to_start_child(${detail.failed_to_start_child}, ${reasonText(detail.reason)})`;
}
