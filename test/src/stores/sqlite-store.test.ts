import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import type { SavedChange } from '../../../src/stores/session-store.ts';
import { SqliteFile } from '../../../src/stores/sqlite-file.ts';
import {
  openSqliteStore,
  sqliteStore,
  type SqliteStore,
} from '../../../src/stores/sqlite-store.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

let folder: string;
let file: string;
const opened: { close(): Promise<void> }[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'caduceus-sqlite-'));
  file = path.join(folder, 'sessions.db');
});

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

function openStore(clock = new VirtualClock()): SqliteStore {
  const store = openSqliteStore(file, clock);
  opened.push(store);
  return store;
}

/** The file as whoever else uses SQLite sees it. */
function openFile(): SqliteFile {
  const other = new SqliteFile(file, async () => undefined);
  opened.push(other);
  return other;
}

const entry = (seq: number) => ({ seq, bytes: Buffer.from(`entry ${seq}`) });

function change(of: Partial<SavedChange> & { readonly head: number }): SavedChange {
  const entries = Array.from({ length: of.head }, (_, index) => entry(index + 1));
  return {
    ...{ revision: `r${of.head}`, baseRevision: undefined, put: [], removeSeqs: [] },
    ...{ expiresInMs: undefined, all: () => ({ head: of.head, entries }) },
    whole: () => {
      throw new Error('a table has no use for the whole');
    },
    ...of,
  };
}

describe('a SQLite store', () => {
  it('lets nobody but its user read what is in it', async () => {
    await openStore().save('a', change({ head: 1 }));
    const modes = readdirSync(folder).map((name) => statSync(path.join(folder, name)).mode & 0o777);
    expect([modes.length > 0, new Set(modes)]).toEqual([true, new Set([0o600])]);
  });

  it('writes what has changed and no more, where it has the rest', async () => {
    const store = openStore();
    await store.save('a', change({ head: 3 }));
    const all = () => {
      throw new Error('the whole is not needed');
    };
    const more = { head: 4, baseRevision: 'r3', put: [entry(4)], removeSeqs: [2], all };
    await store.save('a', change(more));
    const { entries } = (await store.load('a')) as { entries: readonly Uint8Array[] };
    const texts = entries.map((bytes) => Buffer.from(bytes).toString()).sort();
    expect(texts).toEqual(['entry 1', 'entry 3', 'entry 4']);
  });

  it('sweeps away what has expired', async () => {
    const clock = new VirtualClock();
    const store = openStore(clock);
    for (const id of ['a', 'b']) await store.save(id, change({ head: 2, expiresInMs: 1_000 }));
    clock.advance(1_000);
    await store.save('c', change({ head: 1, expiresInMs: 1_000 }));
    const other = openFile();
    const rows = await other.run((transaction) =>
      transaction.all('SELECT scope, seq FROM caduceus_entries'),
    );
    expect(rows).toEqual([{ scope: 'c', seq: 1 }]);
  });

  it('serves two processes that write at once', async () => {
    const stores = [openStore(), openStore()];
    const ids = Array.from({ length: 40 }, (_, n) => `scope ${n}`);
    await Promise.all(ids.map((id, n) => stores[n % 2]!.save(id, change({ head: 2 }))));
    const found = await Promise.all(ids.map((id, n) => stores[(n + 1) % 2]!.load(id)));
    expect(found.map((one) => (one as { head: number }).head)).toEqual(ids.map(() => 2));
  });

  it('fails in time while another process does not let go of the file, and serves again after', async () => {
    const store = openStore();
    await store.save('a', change({ head: 1 }));
    const other = openFile();
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      const isLocked = other.run(async () => {
        resolve();
        await new Promise<void>((release) => (letGo = release));
      });
      void isLocked;
    });
    await held;
    const startedMs = performance.now();
    await expect(store.save('a', change({ head: 2 }))).rejects.toThrow('locked');
    expect(performance.now() - startedMs).toBeLessThan(LIMITS.storeTimeoutMs);
    letGo();
    await store.save('a', change({ head: 3 }));
    expect(await store.load('a')).toMatchObject({ head: 3 });
  });

  it('opens again after it was closed', async () => {
    const store = openStore();
    await store.save('a', change({ head: 1 }));
    await store.close();
    expect(await store.load('a')).toMatchObject({ head: 1, revision: 'r1' });
  });

  it.each([
    ['a database of somebody else', 'CREATE TABLE mine (x)', 'user_version is 0'],
    ['what a later version wrote', 'PRAGMA user_version = 2', 'user_version is 2'],
  ])('refuses %s', async (_, sql, message) => {
    await openFile().run((transaction) => transaction.run(sql));
    await expect(openStore().load('a')).rejects.toThrow(message);
  });

  it('refuses what is no database, and touches nothing in it', async () => {
    writeFileSync(file, 'a letter to somebody');
    await expect(openStore().save('a', change({ head: 1 }))).rejects.toThrow(/not a database/u);
    expect(statSync(file).size).toBe('a letter to somebody'.length);
  });

  it('says that its folder is not there, and serves once it is', async () => {
    file = path.join(folder, 'later', 'sessions.db');
    const store = openStore();
    await expect(store.load('a')).rejects.toThrow('ENOENT');
    mkdirSync(path.dirname(file));
    expect(await store.load('a')).toBeUndefined();
  });

  it('says which package is needed where it is not installed', async () => {
    const load = () => Promise.reject(new Error("Cannot find package 'libsql'"));
    const store = openSqliteStore(file, new VirtualClock(), load);
    await expect(store.load('a')).rejects.toThrow(
      "the package libsql is needed (npm install libsql): Cannot find package 'libsql'",
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([[''], [':memory:'], [undefined]])('needs a path, and not %o', (where) => {
    expect(() => sqliteStore(where!)).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });
});

describe('orders that share a transaction', () => {
  const insert = (file: SqliteFile, n: number, more?: () => never) =>
    file.run(async (transaction) => {
      await transaction.run('INSERT INTO numbers VALUES (?)', n);
      more?.();
      return n;
    });

  it('are done though one of them fails, which leaves nothing behind', async () => {
    const shared = openFile();
    await shared.run((transaction) => transaction.run('CREATE TABLE numbers (n INTEGER)'));
    const fail = () => {
      throw new Error('not this one');
    };
    const orders = [1, 2, 3, 4, 5].map((n) => insert(shared, n, n % 2 === 0 ? fail : undefined));
    const settled = await Promise.allSettled(orders);
    expect(settled.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
    ]);
    const rows = await shared.run((transaction) => transaction.all('SELECT n FROM numbers'));
    expect(rows).toEqual([{ n: 1 }, { n: 3 }, { n: 5 }]);
  });
});
