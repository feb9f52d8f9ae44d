// What does one incarnation of a worker tell us, and how do we talk to it? Joins process, connections and codec; decides nothing about lives.
import { exitReasonOf, type ExitReason } from '../ground/exit-reason.ts';
import { LIMITS } from '../ground/limits.ts';
import { ProtocolError, SpawnFailedError } from '../ground/start-errors.ts';
import { OpenBatches } from './batch.ts';
import { encodeCall, encodeCallbackAnswer } from './encode-message.ts';
import { encodeFrame, FrameDecoder } from './frame.ts';
import { answerTo, assertExpected, assertInTurn, type Greeting } from './greeting.ts';
import { abilitiesOf } from './handshake.ts';
import type { KillSignal, NoticeSignal, ProcessFact, SpawnedProcess, Spawner } from './launcher.ts';
import type { CallbackAnswer, CallMessage, ControlMessage, ControlOrder } from './message.ts';
import { parseControl, parseData } from './parse-message.ts';
import { PortExit } from './port-exit.ts';
import { PortOutput } from './port-output.ts';
import type { Port, PortFact, PortPorts, PortRequest } from './port-types.ts';
import { Guarded } from './guarded.ts';
import { LANES, type Lane, type Link, type LinkFact, type WriteTime } from './transport.ts';

type Header = Record<string, unknown>;

/** Start one incarnation. Facts come later, never from inside this call. */
export function openPort(
  request: PortRequest,
  ports: PortPorts,
  listener: (fact: PortFact) => void,
): Port {
  return new WorkerPort(request, ports, listener);
}

class WorkerPort implements Port {
  abilities = abilitiesOf();
  readonly #request: PortRequest;
  readonly #guarded: Guarded;
  readonly #tell: (fact: PortFact) => void;
  readonly #link: Link;
  readonly #process: SpawnedProcess;
  readonly #decoders = { control: newDecoder(), replies: newDecoder() };
  readonly #output: PortOutput;
  readonly #exit: PortExit;
  readonly #open = new Set<Lane>();
  readonly #batches = new OpenBatches();
  #greeting: Greeting = 'awaited';
  /** After the first broken rule nothing more is read: there is no resynchronisation. */
  #wire: 'intact' | 'broken' = 'intact';
  #brokenTold: 'no' | 'yes' = 'no';
  /** The output pipes that the process had before its own lanes stood. */
  #pipes: 'open' | 'ended' = 'open';

  constructor(request: PortRequest, ports: PortPorts, listener: (fact: PortFact) => void) {
    this.#request = request;
    this.#guarded = new Guarded(ports.guard, request.workerId, request.epoch);
    this.#tell = (fact) => {
      if (this.#exit.phase !== 'told') listener(fact);
    };
    this.#exit = new PortExit(ports.clock, (reason) => this.#tellExit(reason));
    this.#output = new PortOutput((stream, line) => this.#tell({ type: 'output', stream, line }));
    this.#link = ports.transport.expect(request.nonce, (fact) => {
      this.#onLink(fact);
    });
    this.#process = this.#spawn(ports.spawner, ports.transport.address);
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

  call(id: number, message: CallMessage, when: WriteTime): void {
    this.#link.write('calls', encodeCall(id, message), when);
    if (message.batch !== undefined) this.#batches.sent(id, message.batch);
  }

  answer(message: CallbackAnswer): void {
    this.#link.write('calls', encodeCallbackAnswer(message));
  }

  control(order: ControlOrder): void {
    this.#link.write('control', encodeFrame(order));
  }

  shutdown(): void {
    this.control({ type: 'shutdown' });
  }

  kill(signal: KillSignal): void {
    this.#process.kill(signal);
  }

  notify(signal: NoticeSignal): void {
    if (signal === 'SIGUSR1') this.#output.expectDump();
    this.#process.notify(signal);
  }

  close(): void {
    this.#exit.stop();
    this.#process.kill('SIGKILL');
    // Its exit will not be heard here any more; whoever is left of it is looked for all the same.
    this.#guarded.ended();
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
      this.#output.push(lane, bytes);
      return;
    }
    if (this.#wire === 'broken') return;
    try {
      switch (lane) {
        case 'replies':
          this.#decoders.replies.feed(bytes, this.#onData);
          return;
        case 'control':
          this.#decoders.control.feed(bytes, this.#onControl);
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

  readonly #onData = (header: Header, segments: readonly Buffer[]): 'more' => {
    this.#tell(parseData(header, segments, this.#batches));
    return 'more';
  };

  readonly #onControl = (header: Header): 'more' => {
    const message = parseControl(header);
    assertInTurn(this.#greeting, message);
    this.#takeControl(message);
    return 'more';
  };

  #takeControl(message: ControlMessage): void {
    switch (message.type) {
      case 'hello':
        this.#greeting = message;
        this.#answerHello();
        return;
      case 'ready': {
        this.#greeting = 'over';
        const { type: _, ...info } = message;
        assertExpected(info, this.#request);
        this.#tell({ type: 'ready', info });
        return;
      }
      case 'failed':
        this.#greeting = 'over';
        this.#tell({ type: 'failed', error: message.error });
        return;
      case 'log':
        this.#tell({ type: 'logged', log: message });
        return;
      case 'pong':
      case 'withdrawn':
        this.#tell(message);
        return;
      default:
        message satisfies never;
    }
  }

  /** Not before Node has met all five connections and knows whom it started: the guardian is to know it before its use. */
  #answerHello(): void {
    const areAllKnown = this.#open.size === LANES.length && this.#guarded.pid !== undefined;
    const answer = answerTo(this.#greeting, areAllKnown ? 'all' : 'some', this.#request);
    switch (answer.type) {
      case 'wait':
        return;
      case 'refuse': {
        this.#greeting = 'over';
        this.#link.write('control', encodeFrame(answer));
        const error = new ProtocolError(`worker refused: ${answer.reason}`);
        this.#tellBroken({ type: 'error', error });
        return;
      }
      case 'welcome':
        this.#greeting = 'answered';
        this.abilities = abilitiesOf(answer.welcome.protocol);
        // Together with the first ping: written behind it, that could meet a bridge that has failed already, and the failed write would cost its last words.
        this.#link.write('control', encodeFrame(answer.welcome), 'soon');
        this.#tell({ type: 'greeted', hello: answer.hello });
        return;
      default:
        answer satisfies never;
    }
  }

  #onLaneEnd(lane: Lane): void {
    this.#open.delete(lane);
    if (lane === 'stdout' || lane === 'stderr') this.#output.flush(lane);
    if (this.#exit.phase === 'draining') {
      this.#onDrained();
      return;
    }
    // The end of output lanes proves nothing (user code may close its stdout), that of a wire lane is the end.
    if (lane !== 'stdout' && lane !== 'stderr') this.#tellBroken(undefined);
  }

  /** Told once: the first sign of the end is the one that counts. */
  #tellBroken(cause: ExitReason | undefined): void {
    if (this.#brokenTold === 'yes') return;
    this.#brokenTold = 'yes';
    this.#tell({ type: 'broken', cause });
  }

  #onExit(reason: ExitReason): void {
    if (!this.#exit.begin(reason)) return;
    this.#onDrained();
    // Else it takes no more calls from this moment on, though its last replies may still come.
    this.#tellBroken(undefined);
  }

  #onDrained(): void {
    if (this.#pipes === 'ended' && this.#open.size === 0) this.#exit.finish();
  }

  #tellExit(reason: ExitReason): void {
    const report = { reason, ...this.#output.end() };
    this.#tell({ type: 'exited', report, ...(this.#wire === 'broken' ? { wire: 'broken' } : {}) });
    this.#link.close();
  }
}

function newDecoder(): FrameDecoder {
  const { frameBytesMax, headerBytesMax } = LIMITS;
  return new FrameDecoder({ frameBytesMax, headerBytesMax });
}
