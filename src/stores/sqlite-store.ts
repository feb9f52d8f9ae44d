// How are sessions kept in one SQLite file? A row for each scope and one for each entry, so that a save costs what has changed.
import path from 'node:path';

import { systemClock, type Clock } from '../../actors/ground/clock.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { SavedChange, SavedEntry, SavedScope, SessionStore } from './session-store.ts';
import { SqliteFile, type LoadLibSql, type Transaction } from './sqlite-file.ts';

/** A {@link SessionStore} in a file, which its user closes. */
export interface SqliteStore extends SessionStore, AsyncDisposable {
  /** Once what was asked for is done. */
  close(): Promise<void>;
}

interface ScopeRow {
  readonly revision: string;
  readonly head: number;
}

/** Of the tables, as `user_version`. */
const VERSION = 1;

const TABLES = [
  `CREATE TABLE caduceus_scopes (
     id TEXT PRIMARY KEY, revision TEXT NOT NULL, head INTEGER NOT NULL, expires_at INTEGER
   ) WITHOUT ROWID`,
  `CREATE INDEX caduceus_expiry ON caduceus_scopes (expires_at) WHERE expires_at IS NOT NULL`,
  `CREATE TABLE caduceus_entries (
     scope TEXT NOT NULL REFERENCES caduceus_scopes (id) ON DELETE CASCADE, seq INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (scope, seq)
   )`,
];

/**
 * Keep sessions in one SQLite file, by the package `libsql`, which must be installed beside this one. A save has reached the disk when it is acknowledged. Several processes
 * may open the file, one after the other or at once. Only its user can read it.
 * @param where its path; the file is made when it is not there, its folder is not.
 */
export function sqliteStore(where: string | { readonly path: string }): SqliteStore {
  return openSqliteStore(typeof where === 'string' ? where : where?.path, systemClock);
}

/** @internal `sqliteStore` with other time, or without the package. */
export function openSqliteStore(file: string, clock: Clock, load?: LoadLibSql): SqliteStore {
  if (typeof file !== 'string' || file === '' || file === ':memory:') {
    throw new InvalidConfigError('sqliteStore', 'the path of a file is needed');
  }
  return new Store(path.resolve(file), clock, load);
}

class Store implements SqliteStore {
  readonly name: string;
  readonly #file: SqliteFile;
  readonly #clock: Clock;

  constructor(file: string, clock: Clock, load: LoadLibSql | undefined) {
    this.name = `sqlite ${file}`;
    this.#file = new SqliteFile(file, prepareTables, load);
    this.#clock = clock;
  }

  load(id: string): Promise<SavedScope | undefined> {
    return this.#file.run(async (transaction) => {
      const scope = await this.#find(transaction, id);
      if (scope === undefined) return undefined;
      const sql = 'SELECT bytes FROM caduceus_entries WHERE scope = ?';
      const rows = await transaction.all(sql, id);
      const entries = rows.map(({ bytes }) => new Uint8Array(bytes as ArrayBuffer));
      return { ...scope, entries };
    });
  }

  save(id: string, change: SavedChange): Promise<void> {
    const { revision, baseRevision, removeSeqs, expiresInMs } = change;
    return this.#file.run(async (transaction) => {
      const found = await this.#find(transaction, id);
      if (found !== undefined && found.revision === baseRevision) {
        await this.#putScope(transaction, id, { revision, head: change.head }, expiresInMs);
        await removeEntries(transaction, id, removeSeqs);
        await putEntries(transaction, id, change.put);
      } else {
        const { head, entries } = change.all();
        await transaction.run('DELETE FROM caduceus_entries WHERE scope = ?', id);
        await this.#putScope(transaction, id, { revision, head }, expiresInMs);
        await putEntries(transaction, id, entries);
      }
      await this.#sweep(transaction);
    });
  }

  touch(id: string, expiresInMs: number | undefined): Promise<void> {
    return this.#file.run(async (transaction) => {
      const found = await this.#find(transaction, id);
      if (found !== undefined) await this.#putScope(transaction, id, found, expiresInMs);
    });
  }

  remove(id: string): Promise<void> {
    return this.#file.run((transaction) =>
      transaction.run('DELETE FROM caduceus_scopes WHERE id = ?', id),
    );
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #find(transaction: Transaction, id: string): Promise<ScopeRow | undefined> {
    const sql =
      'SELECT revision, head FROM caduceus_scopes WHERE id = ? AND (expires_at IS NULL OR expires_at > ?)';
    const [row] = await transaction.all(sql, id, this.#clock.wallMs());
    return row && { revision: row['revision'] as string, head: row['head'] as number };
  }

  #putScope(
    transaction: Transaction,
    id: string,
    { revision, head }: ScopeRow,
    expiresInMs: number | undefined,
  ): Promise<void> {
    // The wall clock: the next process must know it too.
    const at = expiresInMs === undefined ? null : Math.ceil(this.#clock.wallMs() + expiresInMs);
    const sql =
      'INSERT INTO caduceus_scopes (id, revision, head, expires_at) VALUES (?, ?, ?, ?) ' +
      'ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, head = excluded.head, expires_at = excluded.expires_at';
    return transaction.run(sql, id, revision, head, at);
  }

  /** Of scopes whose time is over. */
  #sweep(transaction: Transaction): Promise<void> {
    const sql =
      'DELETE FROM caduceus_scopes WHERE id IN (SELECT id FROM caduceus_scopes WHERE expires_at <= ? LIMIT ?)';
    return transaction.run(sql, this.#clock.wallMs(), LIMITS.sqliteSweptMax);
  }
}

async function removeEntries(
  transaction: Transaction,
  id: string,
  seqs: readonly number[],
): Promise<void> {
  const sql = 'DELETE FROM caduceus_entries WHERE scope = ? AND seq = ?';
  for (const seq of seqs) await transaction.run(sql, id, seq);
}

async function putEntries(
  transaction: Transaction,
  id: string,
  entries: readonly SavedEntry[],
): Promise<void> {
  const sql = 'INSERT OR REPLACE INTO caduceus_entries (scope, seq, bytes) VALUES (?, ?, ?)';
  for (const { seq, bytes } of entries) await transaction.run(sql, id, seq, bytes);
}

/** @throws Error when the file belongs to something else, or to a later version. */
async function prepareTables(transaction: Transaction): Promise<void> {
  const [row] = await transaction.all('PRAGMA user_version');
  const version = row?.['user_version'];
  if (version === VERSION) return;
  const [others] = await transaction.all('SELECT count(*) AS tables FROM sqlite_master');
  if (version !== 0 || others?.['tables'] !== 0) {
    throw new Error(
      `the file holds something else, or what a later version wrote: user_version is ${String(version)}, this version knows ${VERSION}`,
    );
  }
  for (const sql of TABLES) await transaction.run(sql);
  await transaction.run(`PRAGMA user_version = ${VERSION}`);
}
