// What does one incarnation of a worker tell us, and how do we talk to it? Joins process, connections and codec; decides nothing about lives.
import type { Clock } from '../ground/clock.ts';
import { UnencodableError } from '../ground/errors.ts';
import { exitReasonOf, type ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';
import { ProtocolError, SpawnFailedError } from '../ground/start-errors.ts';
import type { Hello, OutputStream } from '../ground/worker-facts.ts';
import { bodyBytesOf, encodeFrame, FrameDecoder } from './frame.ts';
import { judgeHello } from './handshake.ts';
import type { KillSignal, ProcessFact, SpawnedProcess, Spawner, SpawnRequest } from './launcher.ts';
import {
  parseControl,
  parseReply,
  PROTOCOL_VERSION,
  type CallMessage,
  type WelcomeMessage,
} from './message.ts';
import { OutputLines } from './output-lines.ts';
import type { Port, PortFact, PortPorts, PortRequest } from './port-types.ts';
import { LANES, type Lane, type Link, type LinkFact } from './transport.ts';

/** What is known of the process's end: it is told once its last replies are in. */
type Exit =
  | { readonly type: 'none' }
  | { readonly type: 'draining'; readonly reason: ExitReason; readonly timer: unknown }
  | { readonly type: 'told' };

/** Start one incarnation. Facts come later, never from inside this call. */
export function openPort(
  request: PortRequest,
  ports: PortPorts,
  listener: (fact: PortFact) => void,
): Port {
  return new WorkerPort(request, ports, listener);
}

class WorkerPort implements Port {
  readonly #request: PortRequest;
  readonly #clock: Clock;
  readonly #tell: (fact: PortFact) => void;
  readonly #link: Link;
  readonly #process: SpawnedProcess;
  readonly #decoders = {
    control: new FrameDecoder(LIMITS.frameBytesMax),
    replies: new FrameDecoder(LIMITS.frameBytesMax),
  };
  readonly #output: Record<OutputStream, OutputLines>;
  readonly #open = new Set<Lane>();
  #exit: Exit = { type: 'none' };
  /** The worker's `hello` while it waits for its answer; `over` after `ready`, `failed` or a refusal. */
  #hello: Hello | 'awaited' | 'answered' | 'over' = 'awaited';
  /** After the first broken rule nothing more is read: there is no resynchronisation. */
  #wire: 'intact' | 'broken' = 'intact';
  #brokenTold: 'no' | 'yes' = 'no';
  /** The output pipes that the process had before its own lanes stood. */
  #pipes: 'open' | 'ended' = 'open';

  constructor(request: PortRequest, ports: PortPorts, listener: (fact: PortFact) => void) {
    this.#request = request;
    this.#clock = ports.clock;
    this.#tell = (fact) => {
      if (this.#exit.type !== 'told') listener(fact);
    };
    const lines = (stream: OutputStream): OutputLines =>
      new OutputLines((line) => {
        this.#tell({ type: 'output', stream, line });
      });
    this.#output = { stdout: lines('stdout'), stderr: lines('stderr') };
    this.#link = ports.transport.expect(request.nonce, (fact) => {
      this.#onLink(fact);
    });
    const invitation = JSON.stringify({ socket: ports.transport.address, nonce: request.nonce });
    const env = { ...request.spawn.env, CADUCEUS_WORKER: invitation };
    this.#process = this.#spawn(ports.spawner, { ...request.spawn, env });
  }

  #spawn(spawner: Spawner, request: SpawnRequest): SpawnedProcess {
    const listener = (fact: ProcessFact): void => {
      switch (fact.type) {
        case 'spawned':
          this.#tell({ type: 'launched', pid: fact.pid });
          return;
        case 'output':
          this.#output[fact.stream].push(fact.bytes);
          return;
        case 'closed':
          this.#pipes = 'ended';
          this.#onDrained();
          return;
        case 'failed':
          this.#pipes = 'ended';
          this.#onExit({ type: 'error', error: new SpawnFailedError(request.command, fact.error) });
          return;
        case 'exited':
          this.#onExit(exitReasonOf(fact.status, fact.signal));
          return;
        default:
          fact satisfies never;
      }
    };
    try {
      return spawner.spawn(request, listener);
    } catch (error) {
      this.#link.close();
      throw error;
    }
  }

  call(message: CallMessage): void {
    const frame = encodeFrame(message);
    const bodyBytes = bodyBytesOf(frame);
    if (bodyBytes > LIMITS.frameBytesMax) {
      throw new UnencodableError(
        'args',
        `the call is ${bodyBytes} bytes long, a frame holds ${LIMITS.frameBytesMax}`,
      );
    }
    this.#link.write('calls', frame);
  }

  shutdown(): void {
    this.#link.write('control', encodeFrame({ type: 'shutdown' }));
  }

  kill(signal: KillSignal): void {
    this.#process.kill(signal);
  }

  close(): void {
    if (this.#exit.type === 'draining') this.#clock.clearTimeout(this.#exit.timer);
    this.#exit = { type: 'told' };
    this.#process.kill('SIGKILL');
    this.#link.close();
  }

  #onLink(fact: LinkFact): void {
    switch (fact.type) {
      case 'opened':
        this.#open.add(fact.lane);
        this.#answerHello();
        return;
      case 'bytes':
        this.#onBytes(fact.lane, fact.bytes);
        return;
      case 'ended':
        this.#onLaneEnd(fact.lane);
        return;
      default:
        fact satisfies never;
    }
  }

  #onBytes(lane: Lane, bytes: Buffer): void {
    if (lane === 'stdout' || lane === 'stderr') {
      this.#output[lane].push(bytes);
      return;
    }
    if (this.#wire === 'broken') return;
    try {
      switch (lane) {
        case 'replies':
          this.#decoders.replies.feed(bytes, (message) => {
            this.#tell({ type: 'reply', reply: parseReply(message) });
            return 'more';
          });
          return;
        case 'control':
          this.#decoders.control.feed(bytes, (message) => {
            this.#onControl(message);
            return 'more';
          });
          return;
        case 'calls':
          throw new ProtocolError('bytes on the calls lane, which only Node writes to');
        default:
          lane satisfies never;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#wire = 'broken';
      this.#tellBroken({ type: 'error', error });
    }
  }

  #onControl(raw: Record<string, unknown>): void {
    const message = parseControl(raw);
    const isDue = message.type === 'hello' ? 'awaited' : 'answered';
    if (this.#hello !== isDue && message.type !== 'log') {
      throw new ProtocolError(`control lane: message of type ${message.type} out of turn`);
    }
    switch (message.type) {
      case 'hello':
        this.#hello = message;
        this.#answerHello();
        return;
      case 'ready':
        this.#hello = 'over';
        this.#tell({
          type: 'ready',
          info: {
            bridge: message.bridge,
            framework: message.framework,
            operations: message.operations,
          },
        });
        return;
      case 'failed':
        this.#hello = 'over';
        this.#tell({ type: 'failed', error: message.error });
        return;
      case 'log':
        this.#tell({ type: 'logged', log: message });
        return;
      default:
        message satisfies never;
    }
  }

  /**
   * Not before Node has met all five connections, which become known one by one: what is written to one that is not known yet would go nowhere,
   * and a worker can be ready within the same turn of the event loop.
   */
  #answerHello(): void {
    const hello = this.#hello;
    if (typeof hello === 'string' || this.#open.size < LANES.length) return;
    const verdict = judgeHello(hello);
    this.#hello = verdict.type === 'refuse' ? 'over' : 'answered';
    if (verdict.type === 'refuse') {
      this.#link.write('control', encodeFrame(verdict));
      const error = new ProtocolError(`worker refused: ${verdict.reason}`);
      this.#tellBroken({ type: 'error', error });
      return;
    }
    const { workerId, epoch, scratchDir, bridge } = this.#request;
    const welcome: WelcomeMessage = {
      type: 'welcome',
      protocol: PROTOCOL_VERSION,
      workerId,
      epoch,
      mode: 'pool-worker',
      frameBytesMax: LIMITS.frameBytesMax,
      scratchDir,
      bridge,
    };
    this.#link.write('control', encodeFrame(welcome));
    this.#tell({ type: 'greeted', hello });
  }

  #onLaneEnd(lane: Lane): void {
    this.#open.delete(lane);
    if (lane === 'stdout' || lane === 'stderr') this.#output[lane].flush();
    if (this.#exit.type === 'draining') {
      this.#onDrained();
      return;
    }
    // The end of output lanes proves nothing (user code may close its stdout), that of a wire lane is the end.
    if (lane === 'control' || lane === 'calls' || lane === 'replies') {
      this.#tellBroken(undefined);
    }
  }

  /** Told once: the first sign of the end is the one that counts. */
  #tellBroken(cause: ExitReason | undefined): void {
    if (this.#brokenTold === 'yes') return;
    this.#brokenTold = 'yes';
    this.#tell({ type: 'broken', cause });
  }

  #onExit(reason: ExitReason): void {
    if (this.#exit.type !== 'none') return;
    // After one more poll: when the event loop has stalled, the timer fires before what had arrived is read.
    const timer = this.#clock.setTimeout(() => {
      this.#clock.afterPoll(() => {
        this.#tellExit(reason);
      });
    }, LIMITS.drainAfterExitMs);
    this.#exit = { type: 'draining', reason, timer };
    this.#onDrained();
    // Else it takes no more calls from this moment on, though its last replies may still come.
    this.#tellBroken(undefined);
  }

  /** Once all that the dead process wrote has been read: replies are delivered before its calls are failed, and its last words belong to its report. */
  #onDrained(): void {
    if (this.#exit.type === 'draining' && this.#pipes === 'ended' && this.#open.size === 0) {
      this.#tellExit(this.#exit.reason);
    }
  }

  #tellExit(reason: ExitReason): void {
    if (this.#exit.type !== 'draining') return;
    this.#clock.clearTimeout(this.#exit.timer);
    for (const output of Object.values(this.#output)) output.flush();
    this.#tell({ type: 'exited', report: { reason, stderrTail: this.#output.stderr.tail() } });
    this.#exit = { type: 'told' };
    this.#link.close();
  }
}
