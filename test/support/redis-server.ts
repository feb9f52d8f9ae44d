// Where does a test get a Redis of its own? A real server on a socket in a folder of its own, which keeps nothing.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { until } from './processes.ts';

/** What to say where there is none. */
export const NO_REDIS =
  'no Redis here (`redis-server`): install it with `apt-get install redis-server` (Debian)';

const START_MS = 10_000;

/** The server's version; nothing where there is none, which CI does not put up with. */
export function redisVersion(): string | undefined {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  if (status === 0) return / v=(\S+)/u.exec(stdout)?.[1] ?? 'unknown';
  if (process.env['CI'] === 'true') throw new Error(NO_REDIS);
  return undefined;
}

export class RedisServer {
  readonly socket: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, socket: string, child: ChildProcess) {
    this.#folder = folder;
    this.socket = socket;
    this.#process = child;
  }

  static async start(): Promise<RedisServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'caduceus-redis-'));
    const socket = path.join(folder, 'redis.sock');
    const options = ['--port', '0', '--unixsocket', socket, '--dir', folder];
    const child = spawn('redis-server', [...options, '--save', '', '--appendonly', 'no'], {
      stdio: 'ignore',
    });
    const server = new RedisServer(folder, socket, child);
    let answers = false;
    const ask = (): void => {
      if (answers || child.exitCode !== null) return;
      const connection = createConnection(socket);
      connection.once('connect', () => {
        answers = true;
        connection.destroy();
      });
      connection.once('error', () => setTimeout(ask, 10));
    };
    ask();
    try {
      await until(() => answers, START_MS);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
