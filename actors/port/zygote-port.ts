// What does one incarnation of a zygote tell us, and how do we talk to it? Joins process, connection and wire; decides nothing about lives.
import type { Clock, TimerId } from '../ground/clock.ts';
import type { CrashReport } from '../ground/errors.ts';
import { exitReasonOf, type ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';
import { ProtocolError, SpawnFailedError } from '../ground/start-errors.ts';
import type { Hello, OutputStream, RemoteError } from '../ground/worker-facts.ts';
import { FrameDecoder } from './frame.ts';
import { judgeHello } from './handshake.ts';
import type { KillSignal, ProcessFact, SpawnedProcess, Spawner, SpawnRequest } from './launcher.ts';
import { PortOutput } from './port-output.ts';
import { Guarded } from './guarded.ts';
import type { RunGuard } from './run-guard.ts';
import type { LinkFact, ZygoteLane, ZygoteLink, ZygoteTransport } from './transport.ts';
import {
  encodeOrder,
  parseZygote,
  type ForkFact,
  type ZygoteLoad,
  type ZygoteMessage,
  type ZygoteOrder,
  type ZygoteReady,
} from './zygote-wire.ts';

export interface ZygoteRequest extends ZygoteLoad {
  readonly path: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly spawn: SpawnRequest;
}

export interface ZygotePortPorts {
  readonly clock: Clock;
  readonly spawner: Spawner;
  readonly transport: ZygoteTransport;
  readonly guard: RunGuard;
}

/** Everything that an incarnation can tell. `exited` of the zygote itself is the last fact, told once; `broken` comes at most once before it. */
export type ZygoteFact =
  | { readonly type: 'launched'; readonly pid: number }
  | { readonly type: 'greeted'; readonly hello: Hello }
  | ZygoteReady
  | { readonly type: 'failed'; readonly error: RemoteError }
  | { readonly type: 'worker'; readonly fact: ForkFact }
  | { readonly type: 'pong'; readonly seq: number }
  | { readonly type: 'output'; readonly stream: OutputStream; readonly line: string }
  /** The wire is over or wrong while the process may still live: it must be killed. */
  | { readonly type: 'broken'; readonly cause: ExitReason | undefined }
  | { readonly type: 'exited'; readonly report: CrashReport };

type Exit =
  | { readonly type: 'none' }
  | { readonly type: 'draining'; readonly reason: ExitReason; readonly timer: TimerId }
  | { readonly type: 'told' };

/** What it may say next: `hello`, then `ready` or `failed`, then all the rest. */
type Turn = 'hello' | 'readiness' | 'service';

const TURN_OF: Readonly<Record<ZygoteMessage['type'], Turn>> = {
  hello: 'hello',
  ready: 'readiness',
  failed: 'readiness',
  forked: 'service',
  refused: 'service',
  exited: 'service',
  pong: 'service',
};

/** One zygote process. Facts come later, never from inside its making. */
export class ZygotePort {
  readonly #request: ZygoteRequest;
  readonly #clock: Clock;
  readonly #guarded: Guarded;
  readonly #tell: (fact: ZygoteFact) => void;
  readonly #link: ZygoteLink;
  readonly #process: SpawnedProcess;
  readonly #output: PortOutput;
  readonly #decoder = new FrameDecoder({
    frameBytesMax: LIMITS.zygoteFrameBytesMax,
    headerBytesMax: LIMITS.zygoteFrameBytesMax,
  });
  #exit: Exit = { type: 'none' };
  #turn: Turn = 'hello';
  /** Its `hello`, while it is not known whom we started. */
  #hello: Hello | undefined;
  #wire: 'unopened' | 'open' | 'broken' | 'ended' = 'unopened';
  #brokenTold: 'no' | 'yes' = 'no';
  #pipes: 'open' | 'ended' = 'open';

  constructor(
    request: ZygoteRequest,
    ports: ZygotePortPorts,
    listener: (fact: ZygoteFact) => void,
  ) {
    this.#request = request;
    this.#clock = ports.clock;
    this.#guarded = new Guarded(ports.guard, request.path, request.epoch);
    this.#tell = (fact) => {
      if (this.#exit.type !== 'told') listener(fact);
    };
    this.#output = new PortOutput((stream, line) => this.#tell({ type: 'output', stream, line }));
    const { transport } = ports;
    this.#link = transport.expectZygote(request.nonce, (fact) => this.#onLink(fact));
    this.#process = this.#spawn(ports.spawner, transport.address);
  }

  /** Order a worker: answered by a fact of `worker`. */
  fork(fork: number, request: SpawnRequest): void {
    const cwd = request.cwd ?? null;
    this.#say({ type: 'fork', fork, env: request.env, cwd });
  }

  ping(seq: number): void {
    this.#say({ type: 'ping', seq });
  }

  /** Ask it to exit. */
  leave(): void {
    this.#link.end();
  }

  kill(signal: KillSignal): void {
    this.#process.kill(signal);
  }

  /** Let go: kill what still lives, close connection and timers. No fact follows. */
  close(): void {
    if (this.#exit.type === 'draining') this.#clock.clearTimeout(this.#exit.timer);
    this.#exit = { type: 'told' };
    this.#process.kill('SIGKILL');
    this.#guarded.ended();
    this.#link.close();
  }

  #say(order: ZygoteOrder): void {
    this.#link.write(encodeOrder(order));
  }

  #spawn(spawner: Spawner, socket: string): SpawnedProcess {
    const { spawn, nonce } = this.#request;
    const { parentPid } = this.#guarded;
    const env = {
      ...spawn.env,
      ...this.#guarded.env,
      CADUCEUS_WORKER: JSON.stringify({ socket, nonce, parentPid }),
    };
    try {
      return spawner.spawn({ ...spawn, env }, (fact) => this.#onProcess(fact));
    } catch (error) {
      this.#link.close();
      throw error;
    }
  }

  #onProcess(fact: ProcessFact): void {
    switch (fact.type) {
      case 'spawned':
        this.#guarded.launched(fact.pid);
        this.#tell({ type: 'launched', pid: fact.pid });
        this.#answerHello();
        return;
      case 'output':
        this.#output.push(fact.stream, fact.bytes);
        return;
      case 'closed':
        this.#pipes = 'ended';
        this.#onDrained();
        return;
      case 'failed': {
        this.#pipes = 'ended';
        const error = new SpawnFailedError(this.#request.spawn.command, fact.error);
        this.#onExit({ type: 'error', error });
        return;
      }
      case 'exited':
        this.#guarded.ended();
        this.#onExit(exitReasonOf(fact.status, fact.signal));
        return;
      default:
        fact satisfies never;
    }
  }

  #onLink(fact: LinkFact<ZygoteLane>): void {
    switch (fact.type) {
      case 'opened':
        this.#wire = 'open';
        return;
      case 'bytes':
        if (this.#wire === 'open') this.#onBytes(fact.bytes);
        return;
      case 'ended':
        this.#wire = 'ended';
        this.#tellBroken(undefined);
        this.#onDrained();
        return;
      default:
        fact satisfies never;
    }
  }

  #onBytes(bytes: Buffer): void {
    try {
      this.#decoder.feed(bytes, (header) => {
        this.#take(parseZygote(header));
        return 'more';
      });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#wire = 'broken';
      this.#tellBroken({ type: 'error', error });
    }
  }

  #take(message: ZygoteMessage): void {
    if (TURN_OF[message.type] !== this.#turn) {
      throw new ProtocolError(`zygote lane: message of type ${message.type} out of turn`);
    }
    switch (message.type) {
      case 'hello':
        this.#hello = message;
        this.#turn = 'readiness';
        this.#answerHello();
        return;
      case 'ready':
      case 'failed':
        this.#turn = 'service';
        this.#tell(message);
        return;
      case 'pong':
        this.#tell(message);
        return;
      case 'forked':
      case 'refused':
      case 'exited':
        this.#tell({ type: 'worker', fact: message });
        return;
      default:
        message satisfies never;
    }
  }

  /** Not before we know whom we started: the guardian is to know it before its use. */
  #answerHello(): void {
    const hello = this.#hello;
    if (hello === undefined || this.#guarded.pid === undefined) return;
    this.#hello = undefined;
    const verdict = judgeHello(hello);
    if (verdict.type === 'refuse') {
      this.#say(verdict);
      const error = new ProtocolError(`zygote refused: ${verdict.reason}`);
      this.#tellBroken({ type: 'error', error });
      return;
    }
    const { preload, packages = [] } = this.#request;
    const load = { preload, packages, frameBytesMax: LIMITS.frameBytesMax };
    this.#say({ type: 'welcome', protocol: verdict.protocol, ...load });
    this.#tell({ type: 'greeted', hello });
  }

  /** Told once: the first sign of the end is the one that counts. */
  #tellBroken(cause: ExitReason | undefined): void {
    if (this.#brokenTold === 'yes' || this.#exit.type !== 'none') return;
    this.#brokenTold = 'yes';
    this.#tell({ type: 'broken', cause });
  }

  #onExit(reason: ExitReason): void {
    if (this.#exit.type !== 'none') return;
    const timer = this.#clock.setTimeout(() => {
      this.#clock.afterPoll(() => this.#tellExit(reason));
    }, LIMITS.drainAfterExitMs);
    this.#exit = { type: 'draining', reason, timer };
    this.#onDrained();
  }

  /** Once all that it wrote has been read: how its workers ended, and its last words. */
  #onDrained(): void {
    if (this.#exit.type !== 'draining') return;
    if (this.#pipes === 'ended' && this.#wire !== 'open') {
      this.#tellExit(this.#exit.reason);
    }
  }

  #tellExit(reason: ExitReason): void {
    if (this.#exit.type !== 'draining') return;
    this.#clock.clearTimeout(this.#exit.timer);
    this.#tell({ type: 'exited', report: { reason, ...this.#output.end() } });
    this.#exit = { type: 'told' };
    this.#link.close();
  }
}
