// A program that saves one change after the other in several sessions, to be killed by its test in the middle of that. It tells each save that was acknowledged on stdout.
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';

import { systemClock } from '../../actors/ground/clock.ts';
import { systemIds } from '../../actors/ground/ids.ts';
import { encodeValue } from '../../actors/port/codec.ts';
import { keyvStore } from '../../src/stores/keyv-store.ts';
import { ScopeDesk } from '../../src/stores/scope-desk.ts';
import { sqliteStore } from '../../src/stores/sqlite-store.ts';
import { Journal } from '../../supervisors/pool/journal.ts';
import type { ScopeKey } from '../../supervisors/pool/scope-store.ts';
import { changeOf } from '../../supervisors/pool/stored-entry.ts';

/** More than a page of SQLite holds, so that a save is many writes. */
const DATA_BYTES = 10_000;
/** Things that a session has at a time: each save makes a new one and takes the place of an old one. */
const KEYS = 5;

const [, , kind = '', place = '', ...sessions] = process.argv;
const store =
  kind === 'sqlite'
    ? sqliteStore(place)
    : keyvStore(new Keyv(new KeyvRedis({ socket: { path: place, tls: false } })));
const desk = new ScopeDesk(store, systemClock, systemIds);

function journalOf(key: ScopeKey): Promise<Journal> {
  return new Promise((resolve, reject) => {
    desk.load(key, (found) => {
      if (found.type === 'failed') reject(found.error);
      else resolve(found.type === 'absent' ? new Journal() : Journal.from(found.scope, () => ''));
    });
  });
}

async function work(sessionId: string): Promise<void> {
  const key: ScopeKey = { pool: 'sample', scope: 'session', sessionId };
  const journal = await journalOf(key);
  const next = (): void => {
    const seq = journal.head + 1;
    const args = encodeValue({ seq, data: Buffer.alloc(DATA_BYTES, seq) }, 'args');
    const entry = journal.append('create', 'create', args, `thing ${seq % KEYS}`);
    desk.save(
      key,
      changeOf(entry),
      () => journal.stored(),
      undefined,
      (error) => {
        if (error !== undefined) throw error;
        process.stdout.write(`${sessionId} ${seq}\n`);
        next();
      },
    );
  };
  next();
}

for (const sessionId of sessions) await work(sessionId);
