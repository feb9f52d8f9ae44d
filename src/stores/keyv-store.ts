// How are sessions kept in a Keyv store, which may be Redis, PostgreSQL or a Map? One text for each scope, as all of them can keep it.
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { SavedChange, SavedScope, SessionStore } from './session-store.ts';

/** What is used of a Keyv of version 5. */
export interface KeyvLike {
  get(key: string): Promise<unknown>;
  set(key: string, value: string, ttlMs?: number): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  /** Of its adapter. */
  readonly store?: unknown;
}

/** One for each: they listen to it. */
const STORES = new WeakMap<KeyvLike, SessionStore>();
const METHODS = ['get', 'set', 'delete', 'on'] as const;

/**
 * Keep sessions in a Keyv store. A save has reached the store when it is acknowledged; what that survives is the store's affair. Programs that share a store need a Keyv
 * with a `namespace` each. Whoever made the Keyv disconnects it.
 * @param keyv of version 5, with any of its adapters.
 */
export function keyvStore(keyv: KeyvLike): SessionStore {
  const lacking = METHODS.find(
    (method) => typeof (keyv as Partial<KeyvLike>)?.[method] !== 'function',
  );
  if (lacking !== undefined) {
    throw new InvalidConfigError('keyvStore', `a Keyv is needed, this has no ${lacking}()`);
  }
  const store = STORES.get(keyv) ?? new Store(keyv);
  STORES.set(keyv, store);
  return store;
}

class Store implements SessionStore {
  readonly name = 'keyv';
  readonly #keyv: KeyvLike;
  readonly #errors = new Set<(error: unknown) => void>();

  constructor(keyv: KeyvLike) {
    this.#keyv = keyv;
    // Keyv and its adapters tell errors as events, and answer as if nothing was there, or all was done.
    const tell = (error: unknown): void => {
      for (const hear of this.#errors) hear(error);
    };
    keyv.on('error', tell);
    const { store } = keyv as { readonly store?: Partial<KeyvLike> };
    if (typeof store?.on === 'function') store.on('error', tell);
  }

  async load(id: string): Promise<SavedScope | undefined> {
    const text = await this.#attentively(() => this.#keyv.get(id));
    if (text === undefined || text === null) return undefined;
    if (typeof text !== 'string') {
      throw new Error(`it has a value of another kind: ${typeof text}`);
    }
    return Buffer.from(text, 'base64');
  }

  async save(id: string, change: SavedChange): Promise<void> {
    await this.#set(id, Buffer.from(change.whole()).toString('base64'), change.expiresInMs);
  }

  async touch(id: string, expiresInMs: number | undefined): Promise<void> {
    const text = await this.#attentively(() => this.#keyv.get(id));
    if (typeof text === 'string') await this.#set(id, text, expiresInMs);
  }

  async remove(id: string): Promise<void> {
    // False also where there was nothing to delete.
    await this.#attentively(() => this.#keyv.delete(id));
  }

  async #set(id: string, text: string, expiresInMs: number | undefined): Promise<void> {
    // 0: never, whatever the Keyv's own default is.
    const ttlMs = expiresInMs === undefined ? 0 : Math.max(1, Math.ceil(expiresInMs));
    const isDone = await this.#attentively(() => this.#keyv.set(id, text, ttlMs));
    if (!isDone) throw new Error('it did not take the value');
  }

  /** Reject when an error is heard of meanwhile, though it may belong to another operation: what is uncertain is not acknowledged. */
  async #attentively<Result>(operate: () => Promise<Result>): Promise<Result> {
    const heard: unknown[] = [];
    const hear = (error: unknown): void => {
      heard.push(error);
    };
    this.#errors.add(hear);
    try {
      const result = await operate();
      if (heard.length > 0) throw heard[0];
      return result;
    } finally {
      this.#errors.delete(hear);
    }
  }
}
