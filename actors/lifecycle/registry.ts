// Where do actors find each other by keys of their own choice? Elixir's Registry: entries of living actors, which go with them.
import { fromCallback } from 'xstate';

import { InvalidConfigError } from '../ground/start-errors.ts';
import { runInside } from './crash-trap.ts';
import { Locks } from './locks.ts';
import { isActorName, makeVia, type ActorName, type Names, type Via } from './names.ts';
import { incarnationOf, type ActorRef, type Incarnation } from './ref.ts';
import {
  RegistryEntries,
  type RegistryEntry,
  type RegistryEvent,
  type RegistryKeys,
} from './registry-entries.ts';
import { RegistryError } from './registry-error.ts';
import { ownIncarnation } from './self.ts';
import type { StartFunction } from './start-function.ts';

/** What a registry is told when it begins. Unknown keys are refused. */
export interface RegistryOptions {
  /** Unique among the registries of one system. */
  readonly name: string;
  /** How many may be registered under one key. */
  readonly keys: RegistryKeys;
  /** Who is sent {@link RegistryEvent}s: `register` and `unregister`. */
  readonly listeners?: readonly (ActorName | ActorRef)[];
}

/** For whom: by default for the actor whose code runs. */
export interface RegistryOwner {
  readonly as?: ActorRef;
}

interface Running {
  readonly entries: RegistryEntries;
  readonly locks: Locks;
}

const RUNNING = new WeakMap<Names, Map<string, Running>>();

function runningIn(names: Names): Map<string, Running> {
  const map = RUNNING.get(names) ?? new Map<string, Running>();
  RUNNING.set(names, map);
  return map;
}

/** Begin a registry. @returns the function that ends it. @throws {@link RegistryError} `already_started`, {@link InvalidConfigError}. */
export function openRegistry(options: RegistryOptions, names: Names): () => void {
  const { name, keys, listeners } = checkOptions(options);
  const all = runningIn(names);
  if (all.has(name)) throw new RegistryError('already_started', name, 'start');
  const tell = (event: RegistryEvent): void => {
    for (const listener of listeners ?? []) tellOne(names, listener, event);
  };
  const running = { entries: new RegistryEntries(name, keys, tell), locks: new Locks() };
  all.set(name, running);
  return () => {
    if (all.get(name) === running) all.delete(name);
    running.entries.clear();
  };
}

function tellOne(names: Names, listener: ActorName | ActorRef, event: RegistryEvent): void {
  const ref = isActorName(listener) ? names.whereis(listener) : listener;
  runInside(undefined, () => ref?.send(event));
}

function checkOptions(options: RegistryOptions): RegistryOptions {
  const { name, keys, listeners = [] } = options;
  if (typeof name !== 'string' || name === '')
    throw new InvalidConfigError('name', 'a text is expected');
  if (keys !== 'unique' && keys !== 'duplicate')
    throw new InvalidConfigError('keys', 'unique or duplicate is expected');
  if (!Array.isArray(listeners)) throw new InvalidConfigError('listeners', 'a list is expected');
  for (const key of Object.keys(options)) {
    if (!['name', 'keys', 'listeners'].includes(key)) {
      throw new InvalidConfigError(key, 'is unknown; known are name, keys and listeners');
    }
  }
  return options;
}

/**
 * A registry as a child: the `start` of a child specification. When it ends, its entries are forgotten; their owners live on, and register again with its successor if they want to.
 */
export function registry(options: RegistryOptions): StartFunction {
  checkOptions(options);
  return (_input, { self }) => {
    const { names } = incarnationOf(self).ports;
    if (names === undefined) throw new RegistryError('unknown_registry', options.name, 'start');
    return { logic: fromCallback(() => undefined), cleanUp: openRegistry(options, names) };
  };
}

/**
 * A registry by its name. Each use is of the one that runs then; without one it throws `unknown_registry`.
 * Entries vanish in the same moment in which their owner ends. Keys are compared as those of a Map are: texts and numbers by value, objects by identity.
 */
export class Registry<Key = unknown, Value = unknown> {
  readonly name: string;
  readonly #names: Names;
  readonly #close: () => void;

  /** @internal use `startRegistry` and `registryNamed` */
  constructor(name: string, names: Names, close: () => void) {
    this.name = name;
    this.#names = names;
    this.#close = close;
  }

  /**
   * Enter an actor under a key. A `duplicate` registry takes the same key any number of times.
   * @throws {@link RegistryError} `already_registered` (with `ref`) for a unique key that a living actor has, itself included; `no_owner`; `noproc` for the dead.
   */
  register(key: Key, value: Value, owner: RegistryOwner = {}): void {
    this.#entries('register').register(key, value, this.#ownerOf('register', owner));
  }

  /** Take back all entries of an actor under a key. Where there are none nothing happens. */
  unregister(key: Key, owner: RegistryOwner = {}): void {
    this.#entries('unregister').unregister(key, this.#ownerOf('unregister', owner));
  }

  /** The living who are registered under a key, in the order in which they came. */
  lookup(key: Key): readonly RegistryEntry<Value>[] {
    return this.#entries('lookup').lookup(key) as readonly RegistryEntry<Value>[];
  }

  /** The keys of an actor, one for each entry. */
  keys(owner: ActorRef): readonly Key[] {
    return this.#entries('keys').keysOf(incarnationOf(owner)) as readonly Key[];
  }

  /** The values of an actor under a key. */
  values(key: Key, owner: ActorRef): readonly Value[] {
    return this.#entries('values').valuesOf(key, incarnationOf(owner)) as readonly Value[];
  }

  /** How many entries there are. */
  count(): number {
    return this.#entries('count').entriesCount;
  }

  /** How many actors have entries: whose ends the registry watches. */
  countOwners(): number {
    return this.#entries('countOwners').ownersCount;
  }

  /**
   * Change the value of a unique key that the actor has. What `change` throws is thrown on, and the value stays.
   * @returns the new value and the one before; nothing when the key is not the actor's.
   * @throws {@link RegistryError} `not_unique`.
   */
  updateValue(
    key: Key,
    change: (value: Value) => Value,
    owner: RegistryOwner = {},
  ): { readonly value: Value; readonly before: Value } | undefined {
    const entries = this.#entries('updateValue');
    entries.needUnique('updateValue');
    const changed = entries.update(
      key,
      this.#ownerOf('updateValue', owner),
      change as (value: unknown) => unknown,
    );
    return changed as { readonly value: Value; readonly before: Value } | undefined;
  }

  /**
   * Call `tell` with the entries of a key, here and now, as the caller's code. Without entries it is not called.
   *
   * @param options `parallel`: one call for each entry, and all are begun before any is awaited.
   * @returns settles when `tell` has; rejects with what it threw first. The entries stay in any case.
   */
  async dispatch(
    key: Key,
    tell: (entries: readonly RegistryEntry<Value>[]) => unknown,
    options: { readonly parallel?: boolean } = {},
  ): Promise<void> {
    const entries = this.lookup(key);
    if (entries.length === 0) return;
    if (options.parallel !== true) {
      await tell(entries);
      return;
    }
    await Promise.all(entries.map(async (entry) => tell([entry])));
  }

  /**
   * Run `work` while nobody else runs under the same key of this registry. Keys of locks have nothing to do with those of entries. The lock is free again when `work` has settled or thrown, or
   * the actor has ended; an actor that ends before its turn never has it. Not reentrant.
   */
  async lock<Result>(
    key: unknown,
    work: () => Result | PromiseLike<Result>,
    owner: RegistryOwner = {},
  ): Promise<Result> {
    const of = owner.as === undefined ? ownIncarnation() : incarnationOf(owner.as);
    if (of?.exitReason !== undefined) throw new RegistryError('noproc', this.name, 'lock');
    return this.#running('lock').locks.lock(key, work, of);
  }

  /** The key as a name: for child specifications, supervisors, `call`, `monitor` and `whereis`. */
  via(key: Key, value?: Value): Via {
    return via(this, key, value);
  }

  /** End a registry that was begun with `startRegistry`; a supervised one is its supervisor's. */
  stop(): void {
    this.#close();
  }

  #running(op: string): Running {
    return runningNamed(this.name, this.#names, op);
  }

  #entries(op: string): RegistryEntries {
    return this.#running(op).entries;
  }

  #ownerOf(op: string, { as }: RegistryOwner): Incarnation {
    const owner = as === undefined ? ownIncarnation() : incarnationOf(as);
    if (owner === undefined) throw new RegistryError('no_owner', this.name, op);
    return owner;
  }
}

function runningNamed(name: string, names: Names, op: string): Running {
  const running = RUNNING.get(names)?.get(name);
  if (running === undefined) throw new RegistryError('unknown_registry', name, op);
  return running;
}

/**
 * A name that a registry with unique keys keeps: Elixir's `{:via, Registry, {name, key}}`. It may be written before the registry runs.
 *
 * @param registry by its handle or its name; the one of that name in the system where the name is used.
 * @param value what the entry shall hold.
 * @throws where it is used: {@link RegistryError} `unknown_registry`, `not_unique`.
 */
export function via(registry: Registry | string, key: unknown, value?: unknown): Via {
  const name = typeof registry === 'string' ? registry : registry.name;
  const entries = (names: Names): RegistryEntries => {
    const found = runningNamed(name, names, 'name').entries;
    found.needUnique('name');
    return found;
  };
  return makeVia({
    label: `${name}:${String(key)}`,
    whereis: (names) => entries(names).ownerOf(key),
    claim: (names, holder) => entries(names).claim(key, value, holder),
    bind: (names, holder) => RUNNING.get(names)?.get(name)?.entries.bind(key, holder),
    release: (names, holder) => RUNNING.get(names)?.get(name)?.entries.release(key, holder),
  });
}
