// What must a scope hold? A model that knows only what callers were told: what was acknowledged is there, what was refused is not, and the rest may be.
import { describe, type Made, type Run } from './model-run.ts';

/** What one thing may be. */
interface Thing {
  presence: 'yes' | 'no' | 'maybe';
  min: number;
  max: number;
}

interface View {
  readonly things: Readonly<Record<string, number>>;
  readonly level: number | null;
  readonly common: number | null;
}

type Verdict = 'done' | 'not done' | 'unknown thing' | 'maybe';

function verdictOf({ fate }: Made): Verdict {
  if (fate.type === 'completed') return 'done';
  if (fate.type !== 'failed') return 'maybe';
  if (fate.error.code === 'unknown_thing') return 'unknown thing';
  return fate.error.outcome === 'notSent' ? 'not done' : 'maybe';
}

function valueOf({ fate }: Made): number {
  return fate.type === 'completed' ? (fate.value as { readonly value: number }).value : Number.NaN;
}

function viewOf({ fate }: Made): View | undefined {
  return fate.type === 'completed' ? (fate.value as View) : undefined;
}

/** One session between two ends of it: its calls in their order, one at a time. */
class SessionModel {
  readonly #things = new Map<string, Thing>();
  #levels = new Set<number | null>([null]);
  #lost = false;

  /** @returns what is wrong with it. */
  take(made: Made): string | undefined {
    const verdict = verdictOf(made);
    const code = made.fate.type === 'failed' ? made.fate.error.code : undefined;
    if (code === 'session_lost') this.#lost = true;
    else if (this.#lost && verdict === 'done' && made.kind !== 'checkout')
      return 'the session was lost before';
    if (verdict === 'not done') return undefined;
    switch (made.op) {
      case 'make':
        this.#set(made.id, { presence: verdict === 'done' ? 'yes' : 'maybe', min: 0, max: 0 });
        return undefined;
      case 'add':
        return this.#add(made, verdict);
      case 'drop':
        return this.#drop(made, verdict);
      case 'setup':
        if (verdict === 'done') this.#levels = new Set([made.number]);
        else this.#levels.add(made.number);
        return undefined;
      case 'look': {
        const view = viewOf(made);
        return view === undefined ? undefined : this.#look(view);
      }
      default:
        return undefined;
    }
  }

  #set(id: string, thing: Thing): void {
    this.#things.set(id, thing);
  }

  #thing(id: string): Thing {
    return this.#things.get(id) ?? { presence: 'no', min: 0, max: 0 };
  }

  #add(made: Made, verdict: Verdict): string | undefined {
    const { presence, min, max } = this.#thing(made.id);
    if (verdict === 'maybe') this.#set(made.id, { presence, min, max: max + 1 });
    if (verdict === 'unknown thing') return this.#isMissing(made.id);
    if (verdict !== 'done') return undefined;
    const value = valueOf(made);
    this.#set(made.id, { presence: 'yes', min: value, max: value });
    if (presence === 'no') return `${made.id} was not there`;
    return value > min && value <= max + 1
      ? undefined
      : `${value} is none of ${min + 1}–${max + 1}`;
  }

  #drop({ id }: Made, verdict: Verdict): string | undefined {
    const { presence, min, max } = this.#thing(id);
    if (verdict === 'unknown thing') return this.#isMissing(id);
    if (verdict === 'done') {
      this.#set(id, { presence: 'no', min: 0, max: 0 });
      return presence === 'no' ? `${id} was not there` : undefined;
    }
    if (presence === 'yes') this.#set(id, { presence: 'maybe', min, max });
    return undefined;
  }

  #isMissing(id: string): string | undefined {
    const { presence } = this.#thing(id);
    this.#set(id, { presence: 'no', min: 0, max: 0 });
    return presence === 'yes' ? `${id} was acknowledged, and is not there` : undefined;
  }

  /** What is seen once is so from then on. */
  #look({ things, level }: View): string | undefined {
    const found: string[] = [];
    for (const [id, value] of Object.entries(things)) {
      const { presence, min, max } = this.#thing(id);
      if (presence === 'no') found.push(`${id} should not be there`);
      else if (value < min || value > max) found.push(`${id} is ${value}, none of ${min}–${max}`);
      this.#set(id, { presence: 'yes', min: value, max: value });
    }
    for (const [id, { presence }] of this.#things) {
      if (id in things) continue;
      if (presence === 'yes') found.push(`${id} was acknowledged, and is not there`);
      this.#set(id, { presence: 'no', min: 0, max: 0 });
    }
    if (!this.#levels.has(level))
      found.push(`its level is ${level}, none of ${[...this.#levels].join(', ')}`);
    this.#levels = new Set([level]);
    return found.length === 0 ? undefined : found.join('; ');
  }
}

function inOrder(left: Made, right: Made): number {
  return (
    (left.checkout ?? left.number) - (right.checkout ?? right.number) || left.number - right.number
  );
}

/** Sessions hold what was acknowledged in them, or have said that they are lost. */
export function checkSessions({ calls }: Run): readonly string[] {
  const models = new Map<string, SessionModel>();
  return [...calls].sort(inOrder).flatMap((made) => {
    if (made.session === undefined) return [];
    const key = `${made.session} ${made.generation}`;
    const model = models.get(key) ?? new SessionModel();
    models.set(key, model);
    const wrong = model.take(made);
    return wrong === undefined ? [] : [`${describe(made)}: ${wrong}`];
  });
}

/** The anonymous scope and the bridge's configuration: nothing is ordered there, but what was acknowledged before a call was made holds for it. */
export function checkShared({ calls }: Run): readonly string[] {
  const shared = calls.filter(({ session }) => session === undefined);
  const setups = shared.filter(({ op }) => op === 'setup');
  return calls.flatMap((made) => {
    const wrong = [
      ...checkCommon(made, setups),
      ...(made.session === undefined ? checkThings(made, shared) : []),
    ];
    return wrong.map((each) => `${describe(made)}: ${each}`);
  });
}

function checkCommon(made: Made, setups: readonly Made[]): readonly string[] {
  const view = viewOf(made);
  if (made.op !== 'look' || view === undefined) return [];
  const isDone = (setup: Made): boolean => verdictOf(setup) === 'done';
  const before = setups.filter((setup) => isDone(setup) && setup.settledAt < made.madeAt);
  const lastAt = Math.max(-1, ...before.map(({ settledAt }) => settledAt));
  const allowed = setups.filter((setup) => {
    if (setup.madeAt > made.settledAt || verdictOf(setup) === 'not done') return false;
    return !isDone(setup) || setup.settledAt >= lastAt;
  });
  if (view.common === null) return before.length === 0 ? [] : ['the configuration is not there'];
  const isAllowed = allowed.some(({ number }) => number === view.common);
  return isAllowed ? [] : [`it ran under the configuration of ${view.common}`];
}

/** @param shared calls of the anonymous scope. */
function checkThings(made: Made, shared: readonly Made[]): readonly string[] {
  const seen = seenBy(made);
  return shared
    .filter(({ op }) => op === 'make')
    .flatMap((make) => {
      if (seen === undefined || (made.op !== 'look' && made.id !== make.id)) return [];
      const wrong = checkThing(made, make, shared, seen.things[make.id]);
      return wrong === undefined ? [] : [`${make.id} ${wrong}`];
    });
}

/** What a call has seen of things; undefined: nothing. */
function seenBy(made: Made): Pick<View, 'things'> | undefined {
  const verdict = verdictOf(made);
  if (made.op === 'look') return viewOf(made);
  if (made.op !== 'add' && made.op !== 'drop') return undefined;
  if (verdict === 'unknown thing') return { things: {} };
  // What it was before its end.
  if (verdict !== 'done') return undefined;
  return { things: { [made.id]: made.op === 'add' ? valueOf(made) : Number.NaN } };
}

function checkThing(
  made: Made,
  make: Made,
  shared: readonly Made[],
  value: number | undefined,
): string | undefined {
  const about = (op: string): readonly Made[] =>
    shared.filter((one) => one.op === op && one.id === make.id && one.madeAt < made.settledAt);
  const isBefore = (one: Made): boolean => verdictOf(one) === 'done' && one.settledAt < made.madeAt;
  const drops = about('drop').filter((one) => one !== made);
  const adds = about('add');
  if (value === undefined) {
    // Another deletion that may have come first.
    const mayBeDropped = drops.some((one) => verdictOf(one) !== 'not done');
    return isBefore(make) && !mayBeDropped ? 'was acknowledged, and is not there' : undefined;
  }
  if (verdictOf(make) === 'not done' || make.madeAt > made.settledAt) return 'was never made';
  if (drops.some(isBefore)) return 'was dropped before';
  if (Number.isNaN(value)) return undefined;
  const min = adds.filter((one) => one === made || isBefore(one)).length;
  const max = adds.filter((one) => ['done', 'maybe'].includes(verdictOf(one))).length;
  return value >= min && value <= max ? undefined : `is ${value}, none of ${min}–${max}`;
}
