// How do workers really connect? One private unix socket per runtime; each connection shows its nonce and lane first.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Clock } from '../ground/clock.ts';
import { LIMITS } from '../ground/limits.ts';
import { InvalidConfigError } from '../ground/start-errors.ts';
import { FrameDecoder } from './frame.ts';
import { RUN_PREFIX } from './ledger.ts';
import {
  LANES,
  ZYGOTE_LANES,
  type Link,
  type LinkFact,
  type Transport,
  type ZygoteLane,
  type ZygoteLink,
  type ZygoteTransport,
} from './transport.ts';

/** One process that will show its nonce, with the lanes that it may open. */
interface Expected {
  readonly lanes: readonly string[];
  /** Hears of these lanes only. */
  readonly listener: (fact: LinkFact<string>) => void;
  readonly sockets: Map<string, Socket>;
}

/** The real transport. Dispose it to close every connection and to remove its directory. */
export class SocketTransport implements Transport, ZygoteTransport {
  readonly address: string;
  /** Private (0700) directory of this run; scratch folders of workers live here too. */
  readonly directory: string;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #expected = new Map<string, Expected>();
  readonly #sockets = new Set<Socket>();
  /** Those that have not shown a nonce yet, the oldest first. */
  readonly #strangers = new Set<Socket>();

  private constructor(clock: Clock, directory: string, server: Server) {
    this.#clock = clock;
    this.directory = directory;
    this.address = join(directory, 's');
    this.#server = server;
  }

  /**
   * Make the directory and listen.
   * @throws {@link InvalidConfigError} when the socket's path would be longer than the system allows.
   */
  static async listen(clock: Clock): Promise<SocketTransport> {
    const directory = mkdtempSync(join(tmpdir(), RUN_PREFIX));
    const server = createServer();
    const transport = new SocketTransport(clock, directory, server);
    const pathBytes = Buffer.byteLength(transport.address);
    if (pathBytes > LIMITS.socketPathBytesMax) {
      rmSync(directory, { recursive: true, force: true });
      throw new InvalidConfigError(
        'TMPDIR',
        `the socket path ${transport.address} has ${pathBytes} bytes, at most ${LIMITS.socketPathBytesMax} are allowed; name a shorter temporary directory`,
      );
    }
    server.on('connection', (socket) => {
      transport.#greet(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        transport.#removeDirectory();
        reject(error);
      });
      server.listen(transport.address, resolve);
    });
    // Later errors are of single connections (no descriptors left): the worker behind one runs into its start timeout, and this process lives on.
    server.on('error', ignoreError);
    // A host that ends without stopping the runtime leaves no folder either; only a killed one does.
    process.once('exit', transport.#removeDirectory);
    return transport;
  }

  /** A path below the private directory, e.g. for the scratch folder of one incarnation. It goes with the directory. */
  pathOf(name: string): string {
    return join(this.directory, name);
  }

  expect(nonce: string, listener: (fact: LinkFact) => void): Link {
    const expected = this.#expect(nonce, LANES, listener as Expected['listener']);
    return {
      write: (lane, bytes, when) => {
        const socket = expected.sockets.get(lane);
        if (socket?.writable !== true) return;
        if (when === 'soon') this.#gather(socket);
        writeTo(socket, bytes);
      },
      close: () => this.#letGo(nonce, expected),
    };
  }

  expectZygote(nonce: string, listener: (fact: LinkFact<ZygoteLane>) => void): ZygoteLink {
    const expected = this.#expect(nonce, ZYGOTE_LANES, listener as Expected['listener']);
    return {
      write: (bytes) => {
        const socket = expected.sockets.get('zygote');
        if (socket?.writable === true) socket.write(bytes);
      },
      end: () => {
        expected.sockets.get('zygote')?.end();
      },
      close: () => this.#letGo(nonce, expected),
    };
  }

  /** What is written to it in this turn of the event loop goes out together, at its end. */
  #gather(socket: Socket): void {
    if (socket.writableCorked > 0) return;
    socket.cork();
    this.#clock.afterPoll(() => {
      socket.uncork();
    });
  }

  #expect(nonce: string, lanes: readonly string[], listener: Expected['listener']): Expected {
    const expected: Expected = { lanes, listener, sockets: new Map() };
    this.#expected.set(nonce, expected);
    return expected;
  }

  #letGo(nonce: string, expected: Expected): void {
    this.#expected.delete(nonce);
    for (const socket of expected.sockets.values()) {
      this.#sockets.delete(socket);
      socket.removeAllListeners();
      socket.on('error', ignoreError);
      socket.destroy();
    }
  }

  /** Close everything and remove the directory. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    process.off('exit', this.#removeDirectory);
    this.#removeDirectory();
  }

  readonly #removeDirectory = (): void => {
    try {
      rmSync(this.directory, { recursive: true, force: true });
    } catch {
      // Best effort: a worker may have made a folder that we may not enter, or a grandchild of one that escaped still writes there.
    }
  };

  /** A stranger must show a nonce and a lane in its first frame, soon and in few bytes. */
  #greet(socket: Socket): void {
    const decoder = new FrameDecoder(LIMITS.laneFrameBytesMax);
    this.#sockets.add(socket);
    this.#strangers.add(socket);
    this.#dismissStrangers();
    const timer = this.#clock.setTimeout(() => {
      socket.destroy();
    }, LIMITS.helloTimeoutMs);
    socket.on('error', ignoreError);
    socket.on('close', () => {
      this.#clock.clearTimeout(timer);
      this.#sockets.delete(socket);
      this.#strangers.delete(socket);
    });
    const onData = (bytes: Buffer): void => {
      try {
        decoder.feed(bytes, (message) => {
          this.#clock.clearTimeout(timer);
          this.#strangers.delete(socket);
          socket.off('data', onData);
          if (!this.#admit(socket, message, decoder)) socket.destroy();
          return 'stop';
        });
      } catch {
        // Not our worker, or not in its right mind: it has no incarnation to blame, so it is only closed.
        socket.destroy();
      }
    };
    socket.on('data', onData);
  }

  /** No more than honest workers could have, so that nobody takes all our descriptors; the oldest of too many goes, since a worker of ours shows its nonce at once. */
  #dismissStrangers(): void {
    for (const socket of this.#strangers) {
      if (this.#strangers.size <= this.#expected.size * LANES.length) return;
      this.#strangers.delete(socket);
      socket.destroy();
    }
  }

  #admit(socket: Socket, message: Record<string, unknown>, decoder: FrameDecoder): boolean {
    const { type, nonce, lane } = message;
    if (type !== 'lane' || typeof nonce !== 'string' || typeof lane !== 'string') return false;
    const expected = this.#expected.get(nonce);
    if (expected?.lanes.includes(lane) !== true || expected.sockets.has(lane)) return false;
    expected.sockets.set(lane, socket);
    expected.listener({ type: 'opened', lane });
    const rest = decoder.rest();
    if (rest.length > 0) expected.listener({ type: 'bytes', lane, bytes: rest });
    socket.on('data', (bytes: Buffer) => {
      expected.listener({ type: 'bytes', lane, bytes });
      if (lane !== 'replies') this.#yieldTurn(socket);
    });
    socket.once('close', () => {
      expected.listener({ type: 'ended', lane });
    });
    return true;
  }

  /** Read on when the event loop has come round: libuv reads a flood up to 32 times in one poll, and a chunk can be 65 536 lines. */
  #yieldTurn(socket: Socket): void {
    socket.pause();
    this.#clock.afterPoll(() => {
      socket.resume();
    });
  }
}

function writeTo(socket: Socket, bytes: Uint8Array | readonly Uint8Array[]): void {
  if (bytes instanceof Uint8Array) {
    socket.write(bytes);
    return;
  }
  const [only] = bytes;
  if (only !== undefined && bytes.length === 1) {
    socket.write(only);
    return;
  }
  // One system call for all parts, and no copy of them.
  socket.cork();
  for (const part of bytes) socket.write(part);
  socket.uncork();
}

function ignoreError(): void {
  // A broken connection is told as its end ('close' follows); the error adds nothing.
}
