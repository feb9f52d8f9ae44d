// How is Python called over HTTP? FastAPI on uvicorn (uvloop, httptools) behind a unix socket; undici's pool keeps connections open.
import { join } from 'node:path';

import { endBare, spawnServer } from '../../raw-process.ts';
import type { Peer } from '../peer.ts';

interface Answer {
  readonly statusCode: number;
  readonly body: { readonly json: () => Promise<unknown> };
}

interface Pool {
  readonly request: (options: object) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

interface Package {
  readonly Pool: new (origin: string, options: object) => Pool;
}

const CONNECTIONS = 32;
const OK = 200;

export const FASTAPI: Peer = {
  name: 'fastapi',
  what: 'FastAPI over HTTP',
  must: 1,
  aim: 1,
  packages: { node: ['undici'], python: ['fastapi', 'uvicorn', 'uvloop', 'httptools'] },
  start: async ({ python, folder, scratch, load }) => {
    const { Pool } = (await load('undici')) as Package;
    const socketPath = join(scratch, 'http');
    const server = await spawnServer(python, [join(folder, 'server.py'), socketPath]);
    const pool = new Pool('http://localhost', { socketPath, connections: CONNECTIONS });
    const headers = { 'content-type': 'application/json' };
    return {
      pid: server.pid,
      echo: async (text) => {
        const body = JSON.stringify({ text });
        const answer = await pool.request({ path: '/echo', method: 'POST', headers, body });
        const json = (await answer.body.json()) as { readonly text: string };
        if (answer.statusCode !== OK) throw new Error(`status ${answer.statusCode}`);
        return json.text;
      },
      stop: async () => {
        await pool.close();
        await endBare(server);
      },
    };
  },
};
