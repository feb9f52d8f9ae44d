// Does a session outlive its Node? One process begins it and is killed, the next one goes on with it: on SQLite and on Redis, with DSPy and without.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import KeyvRedis, { type RedisClientType } from '@keyv/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import { fixture, PYTHON } from '../support/real-runtime.ts';
import { NO_REDIS, RedisServer, redisVersion } from '../support/redis-server.ts';
import type { DurableOrder } from './durable-host.ts';

const HOST = path.resolve(import.meta.dirname, '../../dist/test/integration/durable-host.js');
/** Each starts Node and Python three times. */
const SLOW = { timeout: 90_000 };
const SECRET = 'sk-a-key-that-nobody-may-find';

let folder: string;
let model: LocalModel;
const hosts: (() => void)[] = [];

beforeAll(async () => {
  model = await startLocalModel();
});
afterAll(async () => {
  await model.close();
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
});
afterEach(() => {
  for (const end of hosts.splice(0)) end();
  rmSync(folder, { recursive: true, force: true });
});

type Told = Readonly<Record<string, unknown>>;

/** Run the program until it has told all, and kill it in the middle of its life. */
async function run(order: Partial<DurableOrder>): Promise<Told> {
  const whole: DurableOrder = {
    phase: 'begin',
    bridge: 'pool',
    python: path.resolve(PYTHON),
    scriptPath: fixture('pool_bridge.py'),
    modelUrl: model.baseUrl,
    secrets: { MODEL_KEY: SECRET },
    ...order,
  };
  const host = spawn(process.execPath, [HOST, JSON.stringify(whole)], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  hosts.push(() => void host.kill('SIGKILL'));
  const told: Record<string, unknown> = {};
  for await (const line of createInterface({ input: host.stdout })) {
    const [what, value] = JSON.parse(line) as [string, unknown];
    told[what] = value;
    if (what === 'over' || what === 'error') break;
  }
  host.kill('SIGKILL');
  return told;
}

/** All that the files of a folder hold. */
async function bytesIn(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map((entry) => readFile(path.join(entry.parentPath, entry.name), 'latin1'));
  return (await Promise.all(texts)).join('\n');
}

/** All that a Redis holds, and what its texts are when they are base64. */
async function bytesOf(socket: string): Promise<string> {
  const redis = new KeyvRedis<string>({ socket: { path: socket, tls: false } });
  const client = (await redis.getClient()) as RedisClientType;
  const found: string[] = [];
  for (const key of await client.keys('*')) {
    const value = (await client.get(key)) ?? '';
    found.push(key, value, ...value.split(/[^A-Za-z0-9+/=]/u).map(decoded));
  }
  await redis.disconnect();
  return found.join('\n');
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64').toString('latin1');
}

/** What the second process sees of what the first one has done with the plain bridge. */
const SEEN = {
  n: 3,
  kept: [1, 2, 3],
  gone: null,
  seen: ['put n', 'put kept', 'add 2'],
  settings: { level: 3, key_sha256: createHash('sha256').update(SECRET).digest('hex') },
  more: 13,
  over: null,
};

type Where = Pick<DurableOrder, 'sqlite' | 'redis'>;

/** What must hold of every store. */
function outlives(where: () => Where, written: () => Promise<string>): void {
  it('is gone on with by the next process, and by the one after that', SLOW, async () => {
    expect(await run({ ...where(), phase: 'begin' })).toEqual({ begun: 3, over: null });
    expect(await run({ ...where(), phase: 'go on' })).toEqual(SEEN);
    const third = await run({ ...where(), phase: 'go on' });
    expect(third).toMatchObject({
      n: 13,
      more: 23,
      seen: ['put n', 'put kept', 'add 2', 'add 10'],
    });
  });

  it(
    'needs its secret, which the store has not: a process without it says which is missing',
    SLOW,
    async () => {
      await run({ ...where(), phase: 'begin' });
      const text = await written();
      expect(text).toContain('MODEL_KEY');
      expect(text).not.toContain(SECRET);
      const { error } = await run({ ...where(), phase: 'go on', secrets: {} });
      expect(error).toMatchObject({ message: expect.stringContaining('MODEL_KEY') as string });
      expect(Object.values(error as object)).toContain('secret_missing');
      expect(await run({ ...where(), phase: 'go on' })).toEqual(SEEN);
    },
  );

  it('goes on with its program and its model, with DSPy', SLOW, async () => {
    const begun = await run({ ...where(), bridge: 'dspy', phase: 'begin' });
    expect(begun).toEqual({ begun: 'mine', over: null });
    const { answer } = await run({ ...where(), bridge: 'dspy', phase: 'go on' });
    expect(answer).toContain('42');
    expect(await written()).not.toContain(SECRET);
    const without = await run({ ...where(), bridge: 'dspy', phase: 'go on', secrets: {} });
    expect(Object.values(without['error'] as object)).toContain('secret_missing');
  });
}

describe('a session in a SQLite file whose Node is killed', () => {
  outlives(
    () => ({ sqlite: path.join(folder, 'sessions.db') }),
    () => bytesIn(folder),
  );
});

const version = redisVersion();
const whichRedis = version === undefined ? `skipped: ${NO_REDIS}` : `Redis ${version}`;

describe.skipIf(version === undefined)(`a session in ${whichRedis} whose Node is killed`, () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await server.stop();
  });
  outlives(
    () => ({ redis: server.socket }),
    () => bytesOf(server.socket),
  );
});
