// What does a store do in a test of a router? What it is told to: it answers at once, or when the test says so, or fails.
import { encodeValue } from '../../../actors/port/codec.ts';
import type {
  LoadedScope,
  ScopeChange,
  ScopeKey,
  ScopeStore,
  StoreDone,
  StoredEntry,
  StoredScope,
} from '../../../supervisors/pool/scope-store.ts';

type OrderName = 'load' | 'save' | 'touch' | 'remove';

interface Order {
  readonly what: string;
  readonly carryOut: (error?: Error) => void;
}

const nameOf = (key: ScopeKey): string => (key.scope === 'session' ? key.sessionId : key.scope);

export class ScriptedStore implements ScopeStore {
  /** What it knows of each scope. */
  readonly scopes = new Map<string, StoredScope>();
  /** Every order that it was given, in words. */
  readonly orders: string[] = [];
  /** Until when each session is kept, as it was told last. */
  readonly expiries = new Map<string, number | undefined>();
  /** Those that it has not answered. */
  readonly #waiting: Order[] = [];
  readonly #held = new Set<OrderName>();
  readonly #failing = new Map<string, Error>();

  /** From now on such orders wait until they are answered. */
  hold(...names: OrderName[]): void {
    for (const name of names) this.#held.add(name);
  }

  /** Answer the first that waits, or the first of this one. */
  answer(what?: string, error?: Error): void {
    const index = this.#waiting.findIndex((order) => what === undefined || order.what === what);
    const [order] = this.#waiting.splice(index, index < 0 ? 0 : 1);
    if (order === undefined) throw new Error(`no order waits: ${what ?? 'any'}`);
    order.carryOut(error);
  }

  get waiting(): readonly string[] {
    return this.#waiting.map(({ what }) => what);
  }

  /** All such orders fail, until it is mended. */
  fail(what: string, error = new Error('the disk is full')): void {
    this.#failing.set(what, error);
  }

  mend(): void {
    this.#failing.clear();
  }

  /** As if another process had written it. */
  keep(
    scope: string,
    entries: readonly {
      readonly op: StoredEntry['change'];
      readonly key: string;
      readonly args: object;
      readonly secrets?: Readonly<Record<string, string>>;
    }[],
  ): void {
    const stored = entries.map(({ op, key, args, secrets = {} }, index) => ({
      ...{ seq: index + 1, change: op, op, key, secrets },
      args: encodeValue(args, 'args'),
    }));
    this.scopes.set(scope, { head: stored.length, entries: stored });
  }

  load(key: ScopeKey, done: (found: LoadedScope) => void): void {
    this.#order('load', key, (error) => {
      const scope = this.scopes.get(nameOf(key));
      if (error !== undefined) done({ type: 'failed', error });
      else done(scope === undefined ? { type: 'absent' } : { type: 'found', scope });
    });
  }

  save(
    key: ScopeKey,
    _change: ScopeChange,
    whole: () => StoredScope,
    expiresInMs: number | undefined,
    done: StoreDone,
  ): void {
    this.#order('save', key, (error) => {
      if (error === undefined) {
        this.scopes.set(nameOf(key), whole());
        this.expiries.set(nameOf(key), expiresInMs);
      }
      done(error);
    });
  }

  touch(key: ScopeKey, expiresInMs: number | undefined, done: StoreDone): void {
    this.#order('touch', key, (error) => {
      if (error === undefined) this.expiries.set(nameOf(key), expiresInMs);
      done(error);
    });
  }

  remove(key: ScopeKey, done: StoreDone): void {
    this.#order('remove', key, (error) => {
      if (error === undefined) this.scopes.delete(nameOf(key));
      done(error);
    });
  }

  /** What it has of a scope, in words. */
  shown(scope: string): readonly string[] {
    return (this.scopes.get(scope)?.entries ?? []).map(({ op, key }) => `${op} ${key}`);
  }

  #order(name: OrderName, key: ScopeKey, carryOut: (error?: Error) => void): void {
    const what = `${name} ${nameOf(key)}`;
    this.orders.push(what);
    if (this.#held.has(name)) this.#waiting.push({ what, carryOut });
    else carryOut(this.#failing.get(what) ?? this.#failing.get(name));
  }
}
