// Is every save that was acknowledged there after `kill -9`, and can what is there be read?
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../actors/ground/clock.ts';
import { systemIds } from '../../actors/ground/ids.ts';
import { ScopeDesk } from '../../src/stores/scope-desk.ts';
import { keyvStore } from '../../src/stores/keyv-store.ts';
import { sqliteStore } from '../../src/stores/sqlite-store.ts';
import type { LoadedScope, StoredScope } from '../../supervisors/pool/scope-store.ts';
import { until } from '../support/processes.ts';
import { NO_REDIS, RedisServer, redisVersion } from '../support/redis-server.ts';

const HOST = path.resolve(import.meta.dirname, '../../dist/test/faults/stores-host.js');
const SESSIONS = ['alice', 'bob', 'carol'];
const KILLS = 6;
const DATA_BYTES = 10_000;
const KEYS = 5;
const DEADLINE_MS = 20_000;

/** Let a program save until it has told of so many saves, and kill it then, whatever it does. @returns the last save of each session that was acknowledged. */
async function killed(kind: string, place: string, after: number): Promise<Map<string, number>> {
  const acknowledged = new Map<string, number>();
  let told = 0;
  let errors = '';
  const host = spawn(process.execPath, [HOST, kind, place, ...SESSIONS], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  host.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  const ended = new Promise<string | null>((resolve) => {
    host.once('close', (_, signal) => resolve(signal));
  });
  createInterface({ input: host.stdout }).on('line', (line) => {
    const [session = '', seq] = line.split(' ');
    acknowledged.set(session, Number(seq));
    told += 1;
    if (told === after) host.kill('SIGKILL');
  });
  try {
    await until(() => host.exitCode !== null || host.signalCode !== null, DEADLINE_MS);
  } finally {
    host.kill('SIGKILL');
  }
  expect([await ended, errors]).toEqual(['SIGKILL', '']);
  return acknowledged;
}

/** What the next process finds: of each thing the last edition, whole. */
function check(scope: StoredScope): void {
  const seqs = scope.entries.map(({ seq }) => seq);
  const oldest = Math.max(1, scope.head - KEYS + 1);
  expect(seqs).toEqual(Array.from({ length: scope.head - oldest + 1 }, (_, n) => oldest + n));
  for (const { seq, args } of scope.entries) {
    expect((args.json as { seq: number }).seq).toBe(seq);
    expect(Buffer.alloc(DATA_BYTES, seq).equals(args.segments[0]!)).toBe(true);
  }
}

async function survives(kind: string, place: string, open: () => ScopeDesk): Promise<void> {
  const heads = new Map<string, number>();
  for (let kill = 1; kill <= KILLS; kill += 1) {
    // Each kill comes at another place of what it does, and each program goes on from what the one before it left.
    const acknowledged = await killed(kind, place, 10 * kill + kill);
    const desk = open();
    for (const sessionId of SESSIONS) {
      const key = { pool: 'sample', scope: 'session', sessionId } as const;
      const found = await new Promise<LoadedScope>((resolve) => desk.load(key, resolve));
      if (found.type !== 'found') {
        expect([found.type, acknowledged.get(sessionId)]).toEqual(['absent', undefined]);
        continue;
      }
      check(found.scope);
      const { head } = found.scope;
      expect(head).toBeGreaterThanOrEqual(acknowledged.get(sessionId) ?? 0);
      expect(head).toBeGreaterThanOrEqual(heads.get(sessionId) ?? 0);
      heads.set(sessionId, head);
    }
  }
  expect(Math.min(...SESSIONS.map((session) => heads.get(session) ?? 0))).toBeGreaterThan(KEYS);
}

describe('a program that is killed while it saves', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'caduceus-stores-'));

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('leaves every acknowledged save in its SQLite file', async () => {
    const file = path.join(folder, 'sessions.db');
    const store = sqliteStore(file);
    try {
      await survives('sqlite', file, () => new ScopeDesk(store, systemClock, systemIds));
    } finally {
      await store.close();
    }
  });
});

const version = redisVersion();
const where = version === undefined ? `skipped: ${NO_REDIS}` : `Redis ${version}`;

describe.skipIf(version === undefined)(
  `a program that is killed while it saves, by ${where}`,
  { timeout: 120_000 },
  () => {
    let server: RedisServer;
    let keyv: Keyv;

    beforeAll(async () => {
      server = await RedisServer.start();
      keyv = new Keyv(new KeyvRedis({ socket: { path: server.socket, tls: false } }));
    });

    afterAll(async () => {
      await keyv.disconnect();
      await server.stop();
    });

    it('leaves every acknowledged save in the server', async () => {
      const store = keyvStore(keyv);
      await survives('keyv', server.socket, () => new ScopeDesk(store, systemClock, systemIds));
    });
  },
);
