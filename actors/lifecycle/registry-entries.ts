// Who is registered under which key, with which value? Rows that go with their owners.
import type { NameHolder } from './names.ts';
import { incarnationOf, type ActorRef, type Incarnation } from './ref.ts';
import { RegistryError } from './registry-error.ts';

/** `unique`: one owner for a key; `duplicate`: any number of entries. */
export type RegistryKeys = 'unique' | 'duplicate';

/** One registration, as lookups give it. */
export interface RegistryEntry<Value = unknown> {
  readonly ref: ActorRef;
  readonly value: Value;
}

/** What a registry's listeners are sent. */
export type RegistryEvent =
  | {
      readonly type: 'register';
      readonly registry: string;
      readonly key: unknown;
      readonly ref: ActorRef;
      readonly value: unknown;
    }
  | {
      readonly type: 'unregister';
      readonly registry: string;
      readonly key: unknown;
      readonly ref: ActorRef;
    };

interface Row {
  readonly key: unknown;
  value: unknown;
  /** Nothing for a name that was taken for somebody who has not begun to live. */
  owner: Incarnation | undefined;
  readonly holder: NameHolder | undefined;
}

interface Owned {
  readonly rows: Set<Row>;
  /** Its end is not watched any more. */
  readonly release: () => void;
}

/** The rows of one registry. Keys are compared as those of a Map are. */
export class RegistryEntries {
  readonly #name: string;
  readonly #keys: RegistryKeys;
  readonly #tell: (event: RegistryEvent) => void;
  readonly #byKey = new Map<unknown, Set<Row>>();
  readonly #byOwner = new Map<Incarnation, Owned>();

  constructor(name: string, keys: RegistryKeys, tell: (event: RegistryEvent) => void) {
    this.#name = name;
    this.#keys = keys;
    this.#tell = tell;
  }

  /** Actors that have entries: whose ends are watched. */
  get ownersCount(): number {
    return this.#byOwner.size;
  }

  get entriesCount(): number {
    let count = 0;
    for (const { rows } of this.#byOwner.values()) count += rows.size;
    return count;
  }

  register(key: unknown, value: unknown, owner: Incarnation): void {
    if (owner.exitReason !== undefined) throw this.#error('noproc', 'register');
    if (this.#keys === 'unique') {
      const taken = this.ownerOf(key);
      if (taken !== undefined) throw this.#error('already_registered', 'register', taken);
      this.#forgetKey(key);
    }
    const row: Row = { key, value, owner: undefined, holder: undefined };
    this.#add(row);
    this.#settle(row, owner);
  }

  /** As `Names.claim`, for a key of a unique registry. */
  claim(key: unknown, value: unknown, holder: NameHolder): ActorRef | undefined {
    this.needUnique('name');
    const taken = this.ownerOf(key);
    if (taken !== undefined && this.#only(key)?.holder !== holder) return taken;
    if (taken !== undefined) return undefined;
    this.#forgetKey(key);
    const row: Row = { key, value, owner: undefined, holder };
    this.#add(row);
    this.#bind(row);
    return undefined;
  }

  bind(key: unknown, holder: NameHolder): void {
    const row = this.#only(key);
    if (row?.holder === holder) this.#bind(row);
  }

  release(key: unknown, holder: NameHolder): void {
    const row = this.#only(key);
    if (row?.holder === holder) this.#remove(row);
  }

  unregister(key: unknown, owner: Incarnation): void {
    for (const row of this.#rowsOf(owner, key)) this.#remove(row);
  }

  /** The living owner of a unique key. */
  ownerOf(key: unknown): ActorRef | undefined {
    return this.lookup(key)[0]?.ref;
  }

  lookup(key: unknown): readonly RegistryEntry[] {
    const entries: RegistryEntry[] = [];
    for (const row of this.#byKey.get(key) ?? []) {
      const owner = row.owner ?? this.#bind(row);
      // Its end may be known, and this row's turn to hear of it still to come.
      if (owner !== undefined && owner.exitReason === undefined) {
        entries.push({ ref: owner, value: row.value });
      }
    }
    return entries;
  }

  keysOf(owner: Incarnation): readonly unknown[] {
    return [...(this.#byOwner.get(owner)?.rows ?? [])].map(({ key }) => key);
  }

  valuesOf(key: unknown, owner: Incarnation): readonly unknown[] {
    return this.#rowsOf(owner, key).map(({ value }) => value);
  }

  /** @returns the new value and the old one; nothing when the key is not the owner's. */
  update(
    key: unknown,
    owner: Incarnation,
    change: (value: unknown) => unknown,
  ): { readonly value: unknown; readonly before: unknown } | undefined {
    this.needUnique('updateValue');
    const [row] = this.#rowsOf(owner, key);
    if (row === undefined) return undefined;
    const before = row.value;
    row.value = change(before);
    return { value: row.value, before };
  }

  needUnique(op: string): void {
    if (this.#keys !== 'unique') throw this.#error('not_unique', op);
  }

  /** Forget everything; nobody is told. */
  clear(): void {
    for (const { release } of this.#byOwner.values()) release();
    this.#byOwner.clear();
    this.#byKey.clear();
  }

  #rowsOf(owner: Incarnation, key: unknown): readonly Row[] {
    return [...(this.#byKey.get(key) ?? [])].filter((row) => row.owner === owner);
  }

  #only(key: unknown): Row | undefined {
    return this.#byKey.get(key)?.values().next().value;
  }

  #add(row: Row): void {
    const rows = this.#byKey.get(row.key) ?? new Set();
    this.#byKey.set(row.key, rows);
    rows.add(row);
  }

  /** A name's holder has begun to live, perhaps: from then on the row goes with that incarnation. */
  #bind(row: Row): Incarnation | undefined {
    const ref = row.owner ?? row.holder?.();
    if (ref === undefined || ref.exitReason !== undefined) return undefined;
    const owner = incarnationOf(ref);
    if (row.owner === undefined) this.#settle(row, owner);
    return owner;
  }

  #settle(row: Row, owner: Incarnation): void {
    const { key, value } = row;
    row.owner = owner;
    const owned = this.#byOwner.get(owner) ?? {
      rows: new Set<Row>(),
      release: owner.whenEnded(() => this.#onEnded(owner)),
    };
    this.#byOwner.set(owner, owned);
    owned.rows.add(row);
    this.#tell({ type: 'register', registry: this.#name, key, ref: owner, value });
  }

  #onEnded(owner: Incarnation): void {
    for (const row of [...(this.#byOwner.get(owner)?.rows ?? [])]) this.#remove(row);
  }

  #forgetKey(key: unknown): void {
    for (const row of [...(this.#byKey.get(key) ?? [])]) this.#remove(row);
  }

  #remove(row: Row): void {
    const { key, owner } = row;
    const rows = this.#byKey.get(key);
    if (rows?.delete(row) !== true) return;
    if (rows.size === 0) this.#byKey.delete(key);
    if (owner === undefined) return;
    const owned = this.#byOwner.get(owner);
    owned?.rows.delete(row);
    if (owned?.rows.size === 0) {
      owned.release();
      this.#byOwner.delete(owner);
    }
    this.#tell({ type: 'unregister', registry: this.#name, key, ref: owner });
  }

  #error(code: RegistryError['code'], op: string, ref?: ActorRef): RegistryError {
    return new RegistryError(code, this.#name, op, ref);
  }
}
