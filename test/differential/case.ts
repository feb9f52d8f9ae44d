// What is a case? A tree and what befalls it, as plain data that both sides can run.

export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'simple_one_for_one';
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';
export type Restart = 'permanent' | 'transient' | 'temporary';
export type Shutdown = number | 'brutal_kill' | 'infinity';

/** How a worker ends by itself. `detail` is `{shutdown, x}`, `crash` any other reason, `killed` a kill from outside. */
export type Ending = 'normal' | 'shutdown' | 'detail' | 'crash' | 'killed';

/** What becomes of one start of a worker. */
export type Outcome = 'ok' | 'ignore' | 'error';

/**
 * What a worker does when told to shut down. `plain` traps no exits; `obeys` traps them and ends with the reason it was given; the `Ending`s trap them and end
 * with one of their own; `ignores` traps them and goes on.
 */
export type Manner = 'plain' | 'obeys' | 'ignores' | 'normal' | 'detail' | 'crash';

interface Options {
  readonly id: string;
  readonly restart: Restart;
  readonly significant: boolean;
  readonly shutdown: Shutdown;
}

export interface WorkerPlan extends Options {
  readonly kind: 'worker';
  readonly manner: Manner;
  /** Of its first start, its second …; later ones are `ok`. Counted through the whole case, whoever starts it. */
  readonly starts: readonly Outcome[];
}

export interface SupervisorPlan extends Options {
  readonly kind: 'supervisor';
  readonly strategy: Strategy;
  readonly intensity: number;
  readonly periodS: number;
  readonly autoShutdown: AutoShutdown;
  /** Of a `simple_one_for_one`: its one template, a worker. */
  readonly children: readonly ChildPlan[];
}

export type ChildPlan = WorkerPlan | SupervisorPlan;

/** Ids from below the root down; the root's own is empty. */
export type Path = readonly string[];

/** A call of the supervisor's interface. Those with a `path` name a process: the last one that had that path. */
export type Call =
  | { readonly type: 'start_child'; readonly plan: ChildPlan }
  | { readonly type: 'start_dynamic'; readonly label: string }
  | {
      readonly type: 'terminate_child' | 'restart_child' | 'delete_child' | 'get_childspec';
      readonly id: string;
    }
  | { readonly type: 'terminate_pid' | 'get_childspec_pid'; readonly path: Path }
  | { readonly type: 'which_children' | 'count_children' };

export type Item =
  | { readonly type: 'exit'; readonly path: Path; readonly how: Ending }
  | { readonly type: 'call'; readonly call: Call };

export type Step =
  | { readonly type: 'exit'; readonly path: Path; readonly how: Ending }
  | { readonly type: 'call'; readonly at: Path; readonly call: Call }
  /** Exits of direct workers and calls that all lie in the supervisor's mailbox before it acts on the first. */
  | { readonly type: 'together'; readonly at: Path; readonly items: readonly Item[] }
  /** The next starts of this worker. */
  | { readonly type: 'script'; readonly path: Path; readonly outcomes: readonly Outcome[] }
  /** `short` stays within every period of the case, `long` is more than a second beyond each. */
  | { readonly type: 'wait'; readonly ms: number; readonly length: 'short' | 'long' };

export interface Case {
  readonly root: SupervisorPlan;
  readonly steps: readonly Step[];
  /** With what the root is stopped at last, if it still lives. */
  readonly stop: 'normal' | 'shutdown' | 'crash';
}

/** The path as both sides write it. */
export function pathText(path: Path): string {
  return `/${path.join('/')}`;
}
