// How is one SQLite file written to? Orders that wait together share a transaction, and so one wait for the disk.
import { open } from 'node:fs/promises';

import { errorFrom } from '../../actors/ground/error-from.ts';
import { LIMITS } from '../../actors/ground/limits.ts';

/** A row, by column. */
type SqliteRow = Readonly<Record<string, unknown>>;

/** What this file uses of `libsql/promise`, whose types say less. */
interface Statement {
  run(values: readonly unknown[]): unknown;
  all(values: readonly unknown[]): Promise<SqliteRow[]>;
}
interface Connection {
  exec(sql: string): Promise<void>;
  prepare(sql: string): Promise<Statement>;
  close(): void;
}
interface LibSql {
  readonly default: new (path: string, options: { readonly timeout: number }) => Connection;
}

/** Gives the module `libsql/promise`, whose work on the disk stops no event loop. */
export type LoadLibSql = () => Promise<unknown>;

const loadLibSql: LoadLibSql = () => import('libsql/promise');

/** What an order may do inside of its transaction. */
export interface Transaction {
  run(sql: string, ...values: readonly unknown[]): Promise<void>;
  all(sql: string, ...values: readonly unknown[]): Promise<readonly SqliteRow[]>;
}

interface Order {
  readonly work: (transaction: Transaction) => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Only its user may read what is in it; SQLite gives the files beside it the same mode. */
const FILE_MODE = 0o600;

/** One connection to one file, opened when it is first needed. */
export class SqliteFile {
  readonly #path: string;
  /** Brings the file up to what its user expects, once for each connection. */
  readonly #prepare: (transaction: Transaction) => Promise<void>;
  readonly #load: LoadLibSql;
  readonly #waiting: Order[] = [];
  #connection: Connection | undefined;
  /** Ends when nothing waits any more. */
  #work: Promise<void> | undefined;

  constructor(
    path: string,
    prepare: (transaction: Transaction) => Promise<void>,
    load: LoadLibSql = loadLibSql,
  ) {
    this.#path = path;
    this.#prepare = prepare;
    this.#load = load;
  }

  /** Do this in a transaction that is on the disk when the promise resolves. It may be done twice, the first time for nothing. */
  async run<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const result = new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
    });
    this.#work ??= this.#workOff();
    return (await result) as Result;
  }

  /** Close it once what waits is done. The next order opens it again. */
  async close(): Promise<void> {
    await this.#work;
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Never rejects. */
  async #workOff(): Promise<void> {
    while (this.#waiting.length > 0) {
      let orders = this.#waiting.splice(0, LIMITS.sqliteBatchMax);
      try {
        this.#connection ??= await this.#open();
        while (orders.length > 0) orders = await carryOut(this.#connection, orders);
      } catch (error) {
        for (const { reject } of orders) reject(errorFrom(error));
      }
    }
    this.#work = undefined;
  }

  async #open(): Promise<Connection> {
    const { default: Database } = await this.#libSql();
    const file = await open(this.#path, 'a', FILE_MODE);
    await file.close();
    const connection = new Database(this.#path, { timeout: LIMITS.sqliteBusyMs });
    try {
      // Readers and a writer do not wait for each other; what is committed outlives the process, and with FULL the machine too.
      await all(connection, 'PRAGMA journal_mode = WAL');
      await all(connection, 'PRAGMA synchronous = FULL');
      await all(connection, 'PRAGMA foreign_keys = ON');
      await inTransaction(connection, () => this.#prepare(transactionOf(connection)));
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async #libSql(): Promise<LibSql> {
    try {
      return (await this.#load()) as LibSql;
    } catch (cause) {
      const found = errorFrom(cause).message;
      throw new Error(`the package libsql is needed (npm install libsql): ${found}`, { cause });
    }
  }
}

/**
 * Do all of them or none.
 * @returns the orders that are still to be done, because one before them failed and took back what they had done.
 * @throws what was wrong with the transaction itself.
 */
async function carryOut(connection: Connection, orders: Order[]): Promise<Order[]> {
  const done: (() => void)[] = [];
  let failed: { readonly order: Order; readonly error: Error } | undefined;
  try {
    await inTransaction(connection, async () => {
      for (const order of orders) {
        try {
          const result = await order.work(transactionOf(connection));
          done.push(() => order.resolve(result));
        } catch (thrown) {
          failed = { order, error: errorFrom(thrown) };
          throw failed.error;
        }
      }
    });
  } catch (error) {
    if (failed === undefined) throw error;
    const { order, error: reason } = failed;
    order.reject(reason);
    return orders.filter((one) => one !== order);
  }
  for (const tell of done) tell();
  return [];
}

async function inTransaction(connection: Connection, work: () => Promise<void>): Promise<void> {
  await connection.exec('BEGIN IMMEDIATE');
  try {
    await work();
    await connection.exec('COMMIT');
  } catch (error) {
    try {
      await connection.exec('ROLLBACK');
    } catch {
      // SQLite has done it already: a full disk, an error of the device.
    }
    throw error;
  }
}

function transactionOf(connection: Connection): Transaction {
  return {
    run: async (sql, ...values) => {
      const statement = await connection.prepare(sql);
      await statement.run(values);
    },
    all: (sql, ...values) => all(connection, sql, values),
  };
}

/** To its last row: a statement that is not read to its end keeps its lock. A new one each time: one that is used again has given rows of its use before. */
async function all(
  connection: Connection,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly SqliteRow[]> {
  const statement = await connection.prepare(sql);
  return statement.all(values);
}
