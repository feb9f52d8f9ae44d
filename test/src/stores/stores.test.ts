import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { describe } from 'vitest';

import { keyvStore } from '../../../src/stores/keyv-store.ts';
import { sqliteStore } from '../../../src/stores/sqlite-store.ts';
import { MemorySessionStore } from '../../support/memory-session-store.ts';
import { NO_REDIS, RedisServer, redisVersion } from '../../support/redis-server.ts';
import { storeContract } from './store-contract.ts';

storeContract('a store of the smallest kind', async () => {
  const store = new MemorySessionStore();
  return { store, again: () => store, close: async () => undefined };
});

storeContract('a SQLite file', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'caduceus-stores-'));
  const opened = [sqliteStore(path.join(folder, 'sessions.db'))];
  const next = () => {
    const store = sqliteStore({ path: path.join(folder, 'sessions.db') });
    opened.push(store);
    return store;
  };
  return {
    store: opened[0]!,
    again: next,
    close: async () => {
      for (const store of opened) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

storeContract('a Keyv in memory', async () => {
  const entries = new Map<string, unknown>();
  const next = () => keyvStore(new Keyv({ store: entries }));
  return { store: next(), again: next, close: async () => undefined };
});

const version = redisVersion();
const where = version === undefined ? `skipped: ${NO_REDIS}` : `Redis ${version}`;

describe.skipIf(version === undefined)(`a Keyv over ${where}`, () => {
  storeContract('that is a real server', async () => {
    const server = await RedisServer.start();
    const connect = () =>
      new Keyv(new KeyvRedis({ socket: { path: server.socket, tls: false } }), {
        namespace: 'caduceus-test',
      });
    const keyvs = [connect()];
    return {
      store: keyvStore(keyvs[0]!),
      // One more client for all of them: a next process has a cache of its own, which Redis has not.
      again: () => keyvStore((keyvs[1] ??= connect())),
      close: async () => {
        for (const keyv of keyvs) await keyv.disconnect();
        await server.stop();
      },
    };
  });
});
