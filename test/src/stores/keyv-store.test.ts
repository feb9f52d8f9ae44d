import { EventEmitter } from 'node:events';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { keyvStore, type KeyvLike } from '../../../src/stores/keyv-store.ts';
import type { SavedChange, SessionStore } from '../../../src/stores/session-store.ts';
import { NO_REDIS, RedisServer, redisVersion } from '../../support/redis-server.ts';

const change = (expiresInMs?: number): SavedChange => ({
  ...{ revision: 'r', baseRevision: undefined, head: 1, put: [], removeSeqs: [], expiresInMs },
  all: () => ({ head: 1, entries: [] }),
  whole: () => Buffer.from([0, 255, 10]),
});

/** A Keyv adapter that tells its errors as events and answers as if nothing had been, as that of Redis does. */
class SilentAdapter extends EventEmitter {
  isBroken = false;
  readonly rows = new Map<string, unknown>();

  async get(key: string) {
    this.#use();
    return this.isBroken ? undefined : this.rows.get(key);
  }

  async set(key: string, value: unknown) {
    this.#use();
    if (!this.isBroken) this.rows.set(key, value);
  }

  async delete(key: string) {
    this.#use();
    return this.rows.delete(key);
  }

  async clear() {
    this.rows.clear();
  }

  #use(): void {
    if (this.isBroken) this.emit('error', new Error('the connection is lost'));
  }
}

describe('a Keyv store', () => {
  it('acknowledges nothing of which its adapter has told an error', async () => {
    const adapter = new SilentAdapter();
    const store = keyvStore(new Keyv({ store: adapter }));
    await store.save('a', change());
    adapter.isBroken = true;
    const all = [
      store.save('a', change()),
      store.load('a'),
      store.touch('a', 1),
      store.remove('a'),
    ];
    const settled = await Promise.allSettled(all);
    expect(settled.map((one) => one.status === 'rejected' && String(one.reason))).toEqual(
      Array.from({ length: 4 }, () => 'Error: the connection is lost'),
    );
    adapter.isBroken = false;
    expect(await store.load('a')).toBeUndefined();
    await store.save('a', change());
    expect(await store.load('a')).toEqual(Buffer.from([0, 255, 10]));
  });

  it('acknowledges no value that was not taken', async () => {
    const keyv: KeyvLike = {
      get: async () => undefined,
      set: async () => false,
      delete: async () => true,
      on: () => undefined,
    };
    await expect(keyvStore(keyv).save('a', change())).rejects.toThrow('did not take the value');
  });

  it('keeps for ever what has no end, whatever the default of the Keyv', async () => {
    const ttls: unknown[] = [];
    const rows = new Map<string, unknown>();
    const store = {
      get: (key: string) => rows.get(key),
      set: (key: string, value: unknown, ttl?: number) => {
        ttls.push(ttl);
        rows.set(key, value);
      },
      delete: (key: string) => rows.delete(key),
      clear: () => rows.clear(),
    };
    const keyv = keyvStore(new Keyv({ store, ttl: 5 }));
    await keyv.save('a', change());
    await keyv.save('b', change(0.5));
    expect(ttls).toEqual([undefined, 1]);
  });

  it('refuses a value of somebody else', async () => {
    const keyv = new Keyv();
    await keyv.set('a', { not: 'ours' });
    await expect(keyvStore(keyv).load('a')).rejects.toThrow('another kind: object');
  });

  it('is one and the same for one Keyv', () => {
    const keyv = new Keyv();
    expect(keyvStore(keyv)).toBe(keyvStore(keyv));
  });

  it.each([[undefined], [null], [new Map()], [{}]])('needs a Keyv, and not %o', (keyv) => {
    expect(() => keyvStore(keyv as unknown as KeyvLike)).toThrow(
      expect.objectContaining({ code: 'invalid_config' }),
    );
  });
});

const version = redisVersion();
const where = version === undefined ? `skipped: ${NO_REDIS}` : `Redis ${version}`;

describe.skipIf(version === undefined)(`a Keyv store over ${where}`, () => {
  let server: RedisServer;
  let keyv: Keyv;
  let store: SessionStore;

  beforeAll(async () => {
    server = await RedisServer.start();
    const socket = { path: server.socket, tls: false, reconnectStrategy: false } as const;
    keyv = new Keyv(new KeyvRedis({ socket }));
    store = keyvStore(keyv);
  });

  afterAll(async () => {
    await keyv.disconnect();
    await server.stop();
  });

  it('acknowledges nothing once the server is gone', async () => {
    await store.save('a', change(60_000));
    await server.stop();
    await expect(store.save('a', change(60_000))).rejects.toThrow();
    await expect(store.load('a')).rejects.toThrow();
  });
});
