// How does a script that speaks version 1 look to a worker? As any other port: the same facts, over stdin and stdout. Decides nothing about lives.
import { exitReasonOf, type ExitReason } from '../ground/exit-reason.ts';
import { BridgeStartError, ProtocolError, SpawnFailedError } from '../ground/start-errors.ts';
import type { KillSignal, ProcessFact, SpawnedProcess, Spawner } from './launcher.ts';
import { LegacyExchange } from './legacy-exchange.ts';
import { V1Decoder } from './legacy-v1.ts';
import type { CallMessage, ControlOrder } from './message.ts';
import { PortExit } from './port-exit.ts';
import { PortOutput } from './port-output.ts';
import type { Port, PortAbility, PortFact, PortPorts, PortRequest } from './port-types.ts';
import { Guarded } from './guarded.ts';
import { exceptionIn } from './traceback.ts';

type Wire = SpawnedProcess & Required<Pick<SpawnedProcess, 'write' | 'endInput' | 'whenWireEnds'>>;

/** Start one incarnation of a v1 script. Facts come later, never from inside this call. */
export function openLegacyPort(
  request: PortRequest,
  ports: PortPorts,
  listener: (fact: PortFact) => void,
): Port {
  return new LegacyPort(request, ports, listener);
}

class LegacyPort implements Port {
  readonly abilities: ReadonlySet<PortAbility> = new Set();
  readonly #request: PortRequest;
  readonly #guarded: Guarded;
  readonly #tell: (fact: PortFact) => void;
  readonly #process: Wire;
  readonly #exchange: LegacyExchange;
  readonly #decoder = new V1Decoder();
  readonly #output: PortOutput;
  readonly #exit: PortExit;
  /** After the first broken rule nothing more is read: there is no resynchronisation. */
  #wire: 'intact' | 'broken' = 'intact';
  #brokenTold: 'no' | 'yes' = 'no';
  #pipes: 'open' | 'ended' = 'open';

  constructor(request: PortRequest, ports: PortPorts, listener: (fact: PortFact) => void) {
    this.#request = request;
    this.#guarded = new Guarded(ports.guard, request.workerId, request.epoch);
    this.#tell = (fact) => {
      if (this.#exit.phase !== 'told') listener(fact);
    };
    this.#exit = new PortExit(ports.clock, (reason) => this.#tellExit(reason));
    this.#output = new PortOutput((stream, line) => this.#tell({ type: 'output', stream, line }));
    this.#process = this.#spawn(ports.spawner);
    this.#process.whenWireEnds(() => this.#onWireEnd());
    this.#exchange = new LegacyExchange(request, ports.clock, {
      tell: this.#tell,
      write: (bytes) => this.#process.write(bytes),
      endInput: () => this.#process.endInput(),
      refuse: (error) => this.#breakWire(error),
    });
  }

  #spawn(spawner: Spawner): Wire {
    const { spawn, workerId, scratchDir } = this.#request;
    const process = spawner.spawn(
      {
        ...spawn,
        stdio: 'wire',
        args: [...spawn.args, '--mode', 'pool-worker', '--worker-id', workerId],
        env: {
          ...spawn.env,
          CADUCEUS_SCRATCH_DIR: scratchDir,
          ...this.#guarded.env,
        },
      },
      (fact) => this.#onProcess(fact),
    );
    if (isWire(process)) return process;
    process.kill('SIGKILL');
    throw new SpawnFailedError(
      spawn.command,
      new Error('this launcher gives a process no stdin to write to, which a v1 script reads'),
    );
  }

  #onProcess(fact: ProcessFact): void {
    switch (fact.type) {
      case 'spawned':
        this.#onSpawned(fact.pid);
        return;
      case 'output':
        if (fact.stream === 'stderr') this.#output.push('stderr', fact.bytes);
        else this.#onBytes(fact.bytes);
        return;
      case 'closed':
        this.#onPipesEnd();
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

  /** A v1 script says nothing before it is asked, however long its imports take: being there is all of its greeting. */
  #onSpawned(pid: number): void {
    this.#guarded.launched(pid);
    this.#tell({ type: 'launched', pid });
    const unknown = { packageVersion: '', python: '', implementation: '', gil: '' };
    this.#tell({ type: 'greeted', hello: { protocol: '1', ...unknown, pid } });
    this.#exchange.begin();
  }

  call(id: number, message: CallMessage): void {
    this.#exchange.call(id, message);
  }

  /** There are no callbacks to answer. */
  answer(): void {
    return;
  }

  /** There is no control lane: of its orders only two mean something to a script that reads one command after the other. */
  control(order: ControlOrder): void {
    if (order.type === 'shutdown') this.shutdown();
    else if (order.type === 'withdraw') this.#exchange.withdraw(order.id);
  }

  /** The ported bridge answers `shutdown` and reads on; at the end of its stdin it goes by itself. */
  shutdown(): void {
    this.#exchange.end();
  }

  kill(signal: KillSignal): void {
    this.#process.kill(signal);
  }

  /** A v1 script has handlers for neither: SIGUSR1 would end it, and SIGINT too. */
  notify(): void {
    return;
  }

  close(): void {
    this.#exit.stop();
    this.#exchange.forget();
    this.#process.kill('SIGKILL');
    this.#guarded.ended();
  }

  #onBytes(bytes: Buffer): void {
    if (this.#wire === 'broken') return;
    try {
      this.#decoder.feed(bytes, (reply) => {
        this.#exchange.take(reply);
        return this.#wire === 'intact' ? 'more' : 'stop';
      });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#breakWire(error);
    }
  }

  #breakWire(error: ProtocolError): void {
    this.#wire = 'broken';
    this.#tellBroken({ type: 'error', error });
  }

  #onWireEnd(): void {
    // Of a process that has ended the exit says more.
    if (this.#exit.phase === 'none') this.#tellBroken(undefined);
  }

  /** Told once: the first sign of the end is the one that counts. */
  #tellBroken(cause: ExitReason | undefined): void {
    if (this.#brokenTold === 'yes') return;
    this.#brokenTold = 'yes';
    this.#tell({ type: 'broken', cause });
  }

  #onPipesEnd(): void {
    this.#pipes = 'ended';
    this.#exit.finish();
  }

  #onExit(reason: ExitReason): void {
    if (!this.#exit.begin(reason)) return;
    if (this.#pipes === 'ended') this.#exit.finish();
    // Else it takes no more calls from this moment on, though its last reply may still come.
    this.#tellBroken(undefined);
  }

  #tellExit(reason: ExitReason): void {
    const output = this.#output.end();
    const { isStarting } = this.#exchange;
    this.#exchange.forget();
    const said = isStarting ? startReason(reason, output.stderrTail) : reason;
    this.#tell({ type: 'exited', report: { reason: said, ...output } });
  }
}

/** A script whose imports fail cannot say so but by its traceback. */
function startReason(reason: ExitReason, stderrTail: string): ExitReason {
  const error = reason.type === 'exit_status' ? exceptionIn(stderrTail) : undefined;
  return error === undefined ? reason : { type: 'error', error: new BridgeStartError(error) };
}

function isWire(process: SpawnedProcess): process is Wire {
  return 'write' in process && 'endInput' in process && 'whenWireEnds' in process;
}
