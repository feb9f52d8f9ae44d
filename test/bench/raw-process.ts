// How is a bare Python program started that connects back to a unix socket, as our workers do? The floor that rows in ms stand on.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

import { within } from './stage.ts';

const CONNECT_LIMIT_MS = 60_000;
const EXIT_LIMIT_MS = 10_000;

/** A listening socket that hands out its connections one by one, in the order in which they came. */
export interface Rendezvous {
  readonly address: string;
  readonly next: () => Promise<Socket>;
  readonly close: () => void;
}

export async function openRendezvous(folder: string, name = 's'): Promise<Rendezvous> {
  const address = join(folder, name);
  const waiting: Socket[] = [];
  const asked: ((socket: Socket) => void)[] = [];
  const server: Server = createServer((socket) => {
    // A killed process resets its connection: that is an end like any other here.
    socket.on('error', () => undefined);
    const give = asked.shift();
    if (give === undefined) waiting.push(socket);
    else give(socket);
  });
  server.listen(address);
  await once(server, 'listening');
  return {
    address,
    next: () => {
      const socket = waiting.shift();
      if (socket !== undefined) return Promise.resolve(socket);
      const coming = new Promise<Socket>((resolve) => asked.push(resolve));
      return within(coming, CONNECT_LIMIT_MS, 'the connection of a bare Python program');
    },
    close: () => server.close(),
  };
}

/** What it prints goes to stderr: stdout belongs to the benchmark's own document. */
export function spawnBare(python: string, args: readonly string[]): ChildProcess {
  return spawn(python, [...args], { stdio: ['pipe', process.stderr, 'inherit'] });
}

/** A server that prints a line once it listens. */
export async function spawnServer(python: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(python, [...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', (status) => {
      reject(new Error(`the server ended before it listened, with status ${status}`));
    });
  });
  try {
    await within(ready, CONNECT_LIMIT_MS, 'the start of a server');
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return child;
}

/** End a program that ends when its connections or its stdin do; kill it if it does not. */
export async function endBare(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.stdin?.end();
  try {
    await within(gone, EXIT_LIMIT_MS, 'the end of a bare Python program');
  } catch {
    child.kill('SIGKILL');
    await gone;
  }
}
