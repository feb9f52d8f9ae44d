// Which tree does a raw one stand for? Every child gets a name and a time to end that leaves no doubt how it will end.
import type { ChildPlan, Manner, Outcome, Shutdown, SupervisorPlan, WorkerPlan } from './case.ts';
import type { RawChild, RawSupervisor, RawWorker } from './raw-case.ts';

/** In a case with long waits all periods are the shortest that OTP has. */
const PERIOD_OF_WAITING_CASES_S = 1;
/** A supervisor that is given this long to stop … */
const SHORT_OF_SUPERVISOR_MS = 100;
/** … is killed while it waits for this child. */
const STUBBORN_MS = 400;

export const ROOT_ID = 'top';

/** The names tell the kinds apart for good: what was a worker is never a supervisor later. */
export const WORKER_IDS = ['a', 'b', 'c', 'd', 'e', 'f'];
export const SUPERVISOR_IDS = ['s', 't', 'u', 'v', 'w'];

/**
 * Times in which a worker can end. They leave no doubt: a trapping worker that obeys has seconds for what takes it microseconds, one that ignores its orders will
 * certainly not have ended, and one that traps nothing is gone with the signal, whatever the time.
 */
const SHUTDOWNS = {
  plain: [5_000, 'brutal_kill', 'infinity', 0],
  obeying: [5_000, 5_000, 'infinity', 'brutal_kill'],
  ignoring: [5, 'brutal_kill', 20, 0],
} as const satisfies Record<string, readonly Shutdown[]>;

const SUPERVISOR_SHUTDOWNS = [
  'infinity',
  'infinity',
  'infinity',
  'infinity',
  'brutal_kill',
  10_000,
  SHORT_OF_SUPERVISOR_MS,
] as const satisfies readonly Shutdown[];

/** What the supervisor above decides for a child. */
export interface Surroundings {
  /** Of the supervisor above. */
  readonly autoShutdown: SupervisorPlan['autoShutdown'];
  /** Whether the case has long waits. */
  readonly waits: boolean;
  /** Whether an invalid specification would be found at the same moment on both sides: not inside a nested supervisor, whose flags are checked where they are written. */
  readonly isChecked: boolean;
}

export function namedChild(raw: RawChild, id: string, around: Surroundings): ChildPlan {
  return raw.kind === 'worker' ? namedWorker(raw, id, around) : namedSupervisor(raw, id, around);
}

export function namedSupervisor(
  raw: RawSupervisor,
  id: string,
  around: Surroundings,
): SupervisorPlan {
  const { kind, restart, strategy, intensity, autoShutdown } = raw;
  const isSignificant = raw.significant && canBeSignificant(restart, around);
  const given = strategy === 'simple_one_for_one' ? [templateOf(raw.children)] : raw.children;
  const children = namedChildren(given, { ...around, autoShutdown, isChecked: id === ROOT_ID });
  const shutdown = supervisorShutdown(raw, children, around);
  return {
    kind,
    id,
    restart,
    significant: isSignificant,
    strategy,
    intensity,
    autoShutdown,
    shutdown,
    periodS: around.waits ? PERIOD_OF_WAITING_CASES_S : raw.periodS,
    children: shutdown === SHORT_OF_SUPERVISOR_MS ? withOneStubborn(children) : children,
  };
}

function namedChildren(given: readonly RawChild[], around: Surroundings): ChildPlan[] {
  const left = { worker: [...WORKER_IDS], supervisor: [...SUPERVISOR_IDS] };
  return given.map((child) => namedChild(child, left[child.kind].shift() ?? '', around));
}

/** A short time is for supervisors of workers only: what lies deeper could take any part of it. */
function supervisorShutdown(
  raw: RawSupervisor,
  children: readonly ChildPlan[],
  { waits }: Surroundings,
): Shutdown {
  const shutdown = picked<Shutdown>(SUPERVISOR_SHUTDOWNS, raw.shutdown);
  if (shutdown !== SHORT_OF_SUPERVISOR_MS) return shutdown;
  const isShallow = children.every(({ kind }) => kind === 'worker');
  return isShallow && raw.strategy !== 'simple_one_for_one' && !waits ? shutdown : 'infinity';
}

function canBeSignificant(restart: WorkerPlan['restart'], { autoShutdown }: Surroundings): boolean {
  return autoShutdown !== 'never' && restart !== 'permanent';
}

const ANY_WORKER: RawWorker = {
  kind: 'worker',
  restart: 'permanent',
  significant: false,
  isAsGiven: false,
  manner: 'plain',
  shutdown: 0,
  starts: [],
};

/** An ignored restart is a decided difference (its version of OTP keeps a child without a process); an ignored first start is none. */
function templateOf(children: readonly RawChild[]): RawWorker {
  const worker = children.find((child) => child.kind === 'worker') ?? ANY_WORKER;
  const [first, ...later] = worker.starts;
  return first === undefined ? worker : { ...worker, starts: [first, ...withoutIgnore(later)] };
}

export function withoutIgnore(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.map((outcome) => (outcome === 'ignore' ? 'error' : outcome));
}

function namedWorker(raw: RawWorker, id: string, around: Surroundings): WorkerPlan {
  const { kind, restart, manner, starts } = raw;
  const isAsGiven = raw.isAsGiven && around.isChecked;
  const significant = raw.significant && (canBeSignificant(restart, around) || isAsGiven);
  const shutdown = picked<Shutdown>(SHUTDOWNS[wayToEnd(manner)], raw.shutdown);
  return { kind, id, restart, significant, shutdown, manner, starts };
}

function wayToEnd(manner: Manner): keyof typeof SHUTDOWNS {
  if (manner === 'plain') return 'plain';
  return manner === 'ignores' ? 'ignoring' : 'obeying';
}

function withOneStubborn(children: readonly ChildPlan[]): ChildPlan[] {
  const stubborn = children.findIndex(
    (child) => child.kind === 'worker' && child.manner === 'ignores',
  );
  return children.map((child, index) => {
    if (child.kind !== 'worker' || child.manner !== 'ignores') return child;
    return { ...child, shutdown: index === stubborn ? STUBBORN_MS : 5 };
  });
}

/** A pick is any natural number. */
export function picked<T>(list: readonly T[], pick: number): T {
  const value = list[pick % list.length];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}
