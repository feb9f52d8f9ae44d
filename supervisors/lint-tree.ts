// What would a reader of OTP ask about this tree? Judged from the specifications alone, before anything is started.
import { LIMITS } from '../actors/ground/limits.ts';
import type { LintFinding } from '../actors/ground/supervision-facts.ts';
import { lifecycleKindOf, type LifecycleStart } from '../actors/lifecycle/child.ts';
import { SHUTDOWN_EVENT } from '../actors/lifecycle/logic-actor.ts';
import { nameText } from '../actors/lifecycle/names.ts';
import { isLogic } from '../actors/lifecycle/start-function.ts';
import {
  withDefaults,
  type ChildSpec,
  type FullChildSpec,
  type RestartType,
} from './child-spec.ts';
import { swallowersOf } from './lint-machine.ts';
import type { FullSupervisorFlags, SupervisorFlags } from './supervisor-flags.ts';

/** A supervisor of the tree: what it was told, and where it stands. */
interface Sup {
  readonly flags: FullSupervisorFlags;
  readonly path: string;
}

/** How long a stop may take at worst. */
interface StopTime {
  readonly ms: number;
  /** Workers with `infinity`: nothing bounds them. */
  readonly unbounded: readonly string[];
}

/** The child whose crashes take longest to end a supervisor. */
interface Endurance {
  readonly crashes: number;
  readonly path: string;
  /** `maxRestarts` of each supervisor on the way, from the child up. */
  readonly budgets: readonly number[];
}

/**
 * Look for what is legal and seldom meant. Nested supervisors are looked into; start functions, and supervisors of another kind that say nothing of themselves, are not.
 *
 * @param flags of the top of the tree; they must be valid.
 * @returns what was found, from the top down; nothing for a tree without surprises.
 */
export function lintTree(flags: SupervisorFlags | FullSupervisorFlags): readonly LintFinding[] {
  const path = flags.name === undefined ? 'root' : nameText(flags.name);
  const top = { flags: fullOf(flags), path };
  return [...stopFindings(top), ...supervisorFindings(top, 'top')];
}

function fullOf(flags: SupervisorFlags | FullSupervisorFlags): FullSupervisorFlags {
  return {
    name: undefined,
    strategy: 'one_for_one',
    maxRestarts: LIMITS.maxRestarts,
    periodMs: LIMITS.periodMs,
    autoShutdown: 'never',
    backoff: undefined,
    maxConcurrentStarts: Number.POSITIVE_INFINITY,
    ...flags,
    children: (flags.children ?? []).map((spec: ChildSpec) =>
      withDefaults(spec, lifecycleKindOf(spec.start)),
    ),
  };
}

function supervisorFindings(sup: Sup, restart: RestartType | 'top'): readonly LintFinding[] {
  const { flags, path } = sup;
  return [
    // Crashes are passed on by permanent supervisors: any other one is the top of what they can take down.
    ...(restart === 'permanent' ? [] : enduranceFindings(sup)),
    ...idleFindings(sup),
    ...flags.children.flatMap((spec) => {
      const childPath = pathOf(path, spec);
      const inner = supOf(spec, childPath);
      return [
        ...(inner === undefined ? [] : innerFindings(sup, spec, inner)),
        ...finiteFindings(spec, childPath, inner),
        ...swallowFindings(spec, childPath),
        ...(inner === undefined ? [] : supervisorFindings(inner, spec.restart)),
      ];
    }),
  ];
}

function pathOf(parent: string, { id }: FullChildSpec): string {
  return `${parent}/${id}`;
}

/** The supervisor that a child is, if it says of itself what it was told. */
function supOf({ start }: FullChildSpec, path: string): Sup | undefined {
  if (lifecycleKindOf(start) !== 'supervisor') return undefined;
  const { about } = start as LifecycleStart;
  return about === undefined ? undefined : { flags: about as FullSupervisorFlags, path };
}

function warning(rule: LintFinding['rule'], path: string, message: string): LintFinding {
  return { rule, path, message, severity: 'warning' };
}

// Restart intensities multiply on the way up.

function enduranceFindings(sup: Sup): readonly LintFinding[] {
  const most = enduranceOf(sup);
  if (most === undefined || most.crashes <= LIMITS.lintCrashesMax) return [];
  const product = most.budgets.map((maxRestarts) => `(${maxRestarts} + 1)`).join(' × ');
  const within = `within about ${sup.flags.periodMs} ms`;
  return [
    warning(
      'restart_product',
      most.path,
      `only ${most.crashes} crashes ${within} take ${sup.path} down (${product}), fewer or slower ones go on for ever: lower maxRestarts on the way; 0 where a supervisor shall only pass failures on`,
    ),
  ];
}

/** @returns nothing where no crash of a child that is known can end it. */
function enduranceOf({ flags, path }: Sup): Endurance | undefined {
  let most: Endurance | undefined;
  for (const spec of flags.children) {
    const one = spec.restart === 'temporary' ? undefined : enduranceBelow(spec, pathOf(path, spec));
    if (one !== undefined && (most === undefined || one.crashes > most.crashes)) most = one;
  }
  if (most === undefined) return undefined;
  const { maxRestarts } = flags;
  return {
    ...most,
    crashes: most.crashes * (maxRestarts + 1),
    budgets: [...most.budgets, maxRestarts],
  };
}

/** What one restart of this child takes. */
function enduranceBelow(spec: FullChildSpec, path: string): Endurance | undefined {
  const inner = supOf(spec, path);
  if (inner === undefined) return { crashes: 1, path, budgets: [] };
  // A supervisor that gives up ends with `shutdown`: of a transient one that is the end of the matter.
  return spec.restart === 'permanent' ? enduranceOf(inner) : undefined;
}

/** Whether it may give up one day. The children of a dynamic supervisor are not known; by default they are permanent. */
function canGiveUp(sup: Sup): boolean {
  return sup.flags.flavour === 'dynamic' || enduranceOf(sup) !== undefined;
}

// Shutdown times add up: children stop one after another.

function stopFindings(top: Sup): readonly LintFinding[] {
  const { ms, unbounded } = stopTimeOf(top);
  const findings = unbounded.map((path) =>
    warning(
      'shutdown_unbounded',
      path,
      `its shutdown is infinity: if it does not end by itself, stopping ${top.path} takes for ever; give it milliseconds`,
    ),
  );
  if (ms <= LIMITS.lintStopMsMax) return findings;
  return [
    warning(
      'shutdown_sum',
      top.path,
      `stopping may take up to ${seconds(ms)}, since children stop one after another and their shutdown times add up; container platforms kill after ${seconds(LIMITS.lintStopMsMax)}: shorten the children's shutdown`,
    ),
    ...findings,
  ];
}

const NO_TIME: StopTime = { ms: 0, unbounded: [] };
const MS_PER_SECOND = 1_000;

function seconds(ms: number): string {
  return `${ms / MS_PER_SECOND} s`;
}

function stopTimeOf({ flags, path }: Sup): StopTime {
  const times = flags.children.map((spec) => childStopTime(spec, pathOf(path, spec)));
  const sum = times.reduce((total, { ms }) => total + ms, 0);
  return { ms: sum, unbounded: times.flatMap(({ unbounded }) => unbounded) };
}

function childStopTime(spec: FullChildSpec, path: string): StopTime {
  const { shutdown, type } = spec;
  if (shutdown === 'brutal_kill' || endsAtOnce(spec)) return NO_TIME;
  const inner = supOf(spec, path);
  if (inner === undefined) {
    if (shutdown !== 'infinity') return { ms: shutdown, unbounded: [] };
    // A supervisor that says nothing of itself is bounded by its children.
    return type === 'supervisor' ? NO_TIME : { ms: 0, unbounded: [path] };
  }
  const own = stopTimeOf(inner);
  if (shutdown === 'infinity') return own;
  const ms = own.unbounded.length > 0 ? shutdown : Math.min(shutdown, own.ms);
  return { ms, unbounded: [] };
}

/** Logic that does not ask to be told is stopped where it stands. A callback's disposal may be awaited too, but hardly ever is. */
function endsAtOnce({ start }: FullChildSpec): boolean {
  if (!isLogic(start)) return false;
  const { events = [] } = start as { readonly events?: readonly string[] };
  return !events.includes(SHUTDOWN_EVENT);
}

function finiteFindings(
  spec: FullChildSpec,
  path: string,
  inner: Sup | undefined,
): readonly LintFinding[] {
  const { shutdown, type } = spec;
  if (type !== 'supervisor' || shutdown === 'infinity' || endsAtOnce(spec)) return [];
  const givenMs = shutdown === 'brutal_kill' ? 0 : shutdown;
  const needs = inner === undefined ? 'whatever it may need' : needOf(stopTimeOf(inner), givenMs);
  if (needs === undefined) return [];
  const when = shutdown === 'brutal_kill' ? 'at once' : `after ${seconds(givenMs)}`;
  return [
    warning(
      'finite_shutdown',
      path,
      `${when} everything that still runs below this supervisor is killed, though its children may take ${needs}: give it infinity, its children bound it`,
    ),
  ];
}

/** @returns nothing where that is enough. */
function needOf({ ms, unbounded }: StopTime, givenMs: number): string | undefined {
  if (unbounded.length > 0) return 'for ever';
  return ms > givenMs ? `up to ${seconds(ms)}` : undefined;
}

// Supervisors below supervisors.

function innerFindings(outer: Sup, spec: FullChildSpec, inner: Sup): readonly LintFinding[] {
  const { maxRestarts, periodMs, autoShutdown } = inner.flags;
  if (autoShutdown !== 'never') {
    if (spec.restart !== 'permanent' || isIdle(inner)) return [];
    const ends = outer.flags.maxRestarts + 1;
    return [
      warning(
        'auto_shutdown_restarted',
        inner.path,
        `when its significant children end it shuts down, and being permanent it is started again: ${ends} such ends within ${outer.flags.periodMs} ms take ${outer.path} down; make it transient or temporary`,
      ),
    ];
  }
  if (spec.restart !== 'transient' || spec.significant || !canGiveUp(inner)) return [];
  return [
    warning(
      'transient_supervisor',
      inner.path,
      `after ${maxRestarts + 1} crashes within ${periodMs} ms it ends with shutdown, after which a transient child is not started again: it stays down, and all below it; make it permanent, or significant if its end shall end ${outer.path}`,
    ),
  ];
}

/** None of the children that it starts with could ever end it. */
function isIdle({ flags: { children } }: Sup): boolean {
  return children.length > 0 && !children.some(({ significant }) => significant);
}

function idleFindings(sup: Sup): readonly LintFinding[] {
  const { autoShutdown, children } = sup.flags;
  if (autoShutdown === 'never' || !isIdle(sup)) return [];
  const permanent = children.filter(({ restart }) => restart === 'permanent').length;
  return [
    warning(
      'auto_shutdown_idle',
      sup.path,
      `autoShutdown ${autoShutdown} will not happen: 0 of its ${children.length} children are significant (${permanent} are permanent, which cannot be); mark transient or temporary ones, or leave it at never`,
    ),
  ];
}

// Machines that hide the crashes of their own actors.

function swallowFindings({ start }: FullChildSpec, path: string): readonly LintFinding[] {
  return swallowersOf(start).map(({ descriptor, state, actors }) =>
    warning(
      'swallowed_errors',
      path,
      `'${descriptor}' of state ${state} takes the errors of ${actors.length} actor${actors.length === 1 ? '' : 's'} (${actors.join(', ')}) like any event: they end, 0 restarts follow, and nobody hears; guard it so that it leaves xstate.error.* alone`,
    ),
  );
}
