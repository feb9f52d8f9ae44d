// What is a random case? A raw one with names, in which nothing is left to chance that the two sides could tell apart by their clocks.
import type { Arbitrary } from 'fast-check';

import {
  pathText,
  type Call,
  type Case,
  type ChildPlan,
  type Ending,
  type Item,
  type Outcome,
  type Path,
  type Step,
  type SupervisorPlan,
} from './case.ts';
import {
  namedChild,
  namedSupervisor,
  picked,
  ROOT_ID,
  SUPERVISOR_IDS,
  withoutIgnore,
  WORKER_IDS,
} from './name-tree.ts';
import {
  rawCase,
  type RawCall,
  type RawCase,
  type RawChild,
  type RawItem,
  type RawStep,
  type RawSupervisor,
} from './raw-case.ts';

/** More than a second beyond the period of a case that waits. */
const LONG_WAIT_MS = 2_150;

export const anyCase: Arbitrary<Case> = rawCase.map(named);

/** The raw case with a name for everything. */
function named({ root, steps, stop }: RawCase): Case {
  const naming = new Naming(
    root,
    steps.some(({ type }) => type === 'expiry'),
  );
  return {
    root: naming.root,
    steps: [...naming.prelude(), ...steps.flatMap((s) => naming.steps(s))],
    stop,
  };
}

interface KnownSupervisor {
  readonly path: Path;
  readonly plan: SupervisorPlan;
  /** All that has ever been a child of it, by id or label. */
  readonly children: { readonly id: string; readonly kind: ChildPlan['kind'] }[];
}

interface KnownWorker {
  readonly path: Path;
  readonly plan: ChildPlan;
  readonly supervisor: KnownSupervisor;
}

class Naming {
  readonly root: SupervisorPlan;
  readonly #waits: boolean;
  readonly #supervisors: KnownSupervisor[] = [];
  readonly #workers: KnownWorker[] = [];
  readonly #down = new Set<KnownWorker>();
  readonly #dynamic = new Map<KnownSupervisor, number>();

  constructor(root: RawSupervisor, waits: boolean) {
    this.#waits = waits;
    this.root = namedSupervisor(root, ROOT_ID, { autoShutdown: 'never', waits, isChecked: true });
    this.#know(this.root, [], root);
  }

  /** The first children of each `simple_one_for_one`. */
  prelude(): Step[] {
    return this.#supervisors.flatMap((supervisor) =>
      Array.from({ length: this.#dynamic.get(supervisor) ?? 0 }, () => ({
        type: 'call' as const,
        at: supervisor.path,
        call: this.#startDynamic(supervisor),
      })),
    );
  }

  steps(raw: RawStep): Step[] {
    switch (raw.type) {
      case 'exit':
        return this.#ofWorker(raw.worker, (worker) => [this.#exit(worker, raw.how)]);
      case 'trouble':
        return this.#ofWorker(raw.worker, (worker) => [
          script(worker, raw.outcomes),
          this.#exit(worker, 'crash'),
        ]);
      case 'other_trouble':
        return this.#ofWorker(raw.worker, (worker) => [
          script(this.#sibling(worker, raw.other), raw.outcomes),
          this.#exit(worker, 'crash'),
        ]);
      case 'during_restart':
        return this.#ofWorker(raw.worker, (worker) => this.#duringRestart(worker, raw));
      case 'call': {
        const supervisor = picked(this.#supervisors, raw.supervisor);
        return [{ type: 'call', at: supervisor.path, call: this.#call(supervisor, raw.call) }];
      }
      case 'together': {
        const supervisor = picked(this.#supervisors, raw.supervisor);
        const items = raw.items.flatMap((item) => this.#item(supervisor, item));
        return [{ type: 'together', at: supervisor.path, items }];
      }
      case 'expiry':
        return this.#ofWorker(raw.worker, (worker) => expiry(worker, raw.more));
      case 'wait':
        return [{ type: 'wait', ms: raw.ms, length: 'short' }];
      default:
        return raw satisfies never;
    }
  }

  /** Preferably of one that is not down for good: what the dead are told teaches little. */
  #ofWorker(pick: number, use: (worker: KnownWorker) => Step[]): Step[] {
    if (this.#workers.length === 0) return [];
    const up = this.#workers.filter((worker) => !this.#down.has(worker));
    return use(picked(up.length === 0 ? this.#workers : up, pick));
  }

  #exit(worker: KnownWorker, how: Ending): Step {
    const { restart } = worker.plan;
    const isCrash = how === 'crash' || how === 'killed';
    if (restart === 'temporary' || (restart === 'transient' && !isCrash)) this.#down.add(worker);
    return { type: 'exit', path: worker.path, how };
  }

  #sibling({ supervisor }: KnownWorker, pick: number): KnownWorker {
    return picked(
      this.#workers.filter((other) => other.supervisor === supervisor),
      pick,
    );
  }

  #duringRestart(worker: KnownWorker, raw: RawStep & { type: 'during_restart' }): Step[] {
    const { path, supervisor } = worker;
    const id = path.at(-1) ?? '';
    const terminate: Call =
      supervisor.plan.strategy === 'simple_one_for_one'
        ? { type: 'terminate_pid', path }
        : { type: 'terminate_child', id };
    const calls: Call[] = [
      { type: 'which_children' },
      terminate,
      ...raw.calls.map((call) => this.#call(supervisor, call)),
      { type: 'which_children' },
    ];
    return [
      script(
        worker,
        Array.from({ length: raw.failures }, () => 'error'),
      ),
      {
        type: 'together',
        at: supervisor.path,
        items: [
          { type: 'exit', path, how: 'crash' },
          ...calls.map((call): Item => ({ type: 'call', call })),
        ],
      },
    ];
  }

  #item(supervisor: KnownSupervisor, raw: RawItem): Item[] {
    if (raw.type === 'call') return [{ type: 'call', call: this.#call(supervisor, raw.call) }];
    const workers = supervisor.children.filter(({ kind }) => kind === 'worker');
    if (workers.length === 0) return [];
    const path = [...supervisor.path, picked(workers, raw.child).id];
    return [{ type: 'exit', path, how: raw.how }];
  }

  #call(supervisor: KnownSupervisor, raw: RawCall): Call {
    const isSimple = supervisor.plan.strategy === 'simple_one_for_one';
    switch (raw.type) {
      case 'which':
        return { type: 'which_children' };
      case 'count':
        return { type: 'count_children' };
      case 'start_child':
        return isSimple ? this.#startDynamic(supervisor) : this.#startChild(supervisor, raw);
      case 'restart':
      case 'delete':
        return { type: `${raw.type}_child`, id: this.#childId(supervisor, raw.child) };
      case 'terminate':
        return this.#isByPid(isSimple, raw)
          ? { type: 'terminate_pid', path: this.#pathOf(supervisor, raw) }
          : { type: 'terminate_child', id: this.#childId(supervisor, raw.child) };
      case 'get_spec':
        return this.#isByPid(isSimple, raw)
          ? { type: 'get_childspec_pid', path: this.#pathOf(supervisor, raw) }
          : { type: 'get_childspec', id: this.#childId(supervisor, raw.child) };
      default:
        return raw satisfies never;
    }
  }

  #isByPid(isSimple: boolean, { isOtherWay }: { readonly isOtherWay: boolean }): boolean {
    return isSimple !== isOtherWay;
  }

  /** Of a child of this supervisor, now and then of somebody else's. */
  #pathOf(supervisor: KnownSupervisor, raw: RawCall & { readonly child: number }): Path {
    const { children, path } = supervisor;
    if (children.length === 0 || raw.child % 11 === 0) {
      return this.#workers.length === 0 ? [] : picked(this.#workers, raw.child).path;
    }
    return [...path, picked(children, raw.child).id];
  }

  #childId({ children }: KnownSupervisor, pick: number): string {
    return children.length === 0 || pick % 13 === 0 ? 'nobody' : picked(children, pick).id;
  }

  #startChild(supervisor: KnownSupervisor, raw: RawCall & { type: 'start_child' }): Call {
    const id = picked(raw.plan.kind === 'worker' ? WORKER_IDS : SUPERVISOR_IDS, raw.id);
    // Whoever was a supervisor comes back as the same one: a path has one strategy for good.
    const before = this.#supervisors.find(({ path }) => isPath(path, [...supervisor.path, id]));
    if (before !== undefined) return { type: 'start_child', plan: before.plan };
    const { autoShutdown } = supervisor.plan;
    const plan = namedChild(raw.plan, id, { autoShutdown, waits: this.#waits, isChecked: true });
    if (supervisor.children.every((child) => child.id !== id)) {
      supervisor.children.push({ id, kind: plan.kind });
      this.#knowChild(supervisor, plan, raw.plan);
    }
    return { type: 'start_child', plan };
  }

  #startDynamic(supervisor: KnownSupervisor): Call {
    const label = `x${supervisor.children.length + 1}`;
    supervisor.children.push({ id: label, kind: 'worker' });
    const [plan] = supervisor.plan.children;
    if (plan !== undefined) {
      this.#workers.push({ path: [...supervisor.path, label], plan, supervisor });
    }
    return { type: 'start_dynamic', label };
  }

  #know(plan: SupervisorPlan, path: Path, raw: RawSupervisor): void {
    const known: KnownSupervisor = { path, plan, children: [] };
    this.#supervisors.push(known);
    if (plan.strategy === 'simple_one_for_one') {
      this.#dynamic.set(known, raw.dynamic);
      return;
    }
    for (const [index, child] of plan.children.entries()) {
      known.children.push({ id: child.id, kind: child.kind });
      this.#knowChild(known, child, raw.children[index]);
    }
  }

  #knowChild(supervisor: KnownSupervisor, plan: ChildPlan, raw: RawChild | undefined): void {
    const path = [...supervisor.path, plan.id];
    if (plan.kind === 'worker') this.#workers.push({ path, plan, supervisor });
    else if (raw?.kind === 'supervisor') this.#know(plan, path, raw);
  }
}

function isPath(one: Path, other: Path): boolean {
  return pathText(one) === pathText(other);
}

function script({ path, supervisor }: KnownWorker, outcomes: readonly Outcome[]): Step {
  const isSimple = supervisor.plan.strategy === 'simple_one_for_one';
  return { type: 'script', path, outcomes: isSimple ? withoutIgnore(outcomes) : outcomes };
}

function expiry({ path, supervisor }: KnownWorker, more: number): Step[] {
  const crash: Step = { type: 'exit', path, how: 'crash' };
  const crashes = (count: number): Step[] => Array.from({ length: count }, () => crash);
  return [
    ...crashes(supervisor.plan.intensity),
    { type: 'wait', ms: LONG_WAIT_MS, length: 'long' },
    ...crashes(1 + more),
  ];
}
