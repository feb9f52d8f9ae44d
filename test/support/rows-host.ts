// How does a test drive a Node of its own, in surroundings that no test should have itself? Over its stdin and stdout, or as a thread.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';

import type { PoolOptions, ZygoteOption } from '../../src/index.ts';
import { until } from './processes.ts';
import { fixture, PYTHON } from './real-runtime.ts';

const START_MS = 30_000;
const ANSWER_MS = 15_000;
const HOST = fixture('rows-host.mjs');

/** What the host tells without being asked. */
export interface HostEvent {
  readonly event: string;
  readonly path?: string;
  readonly epoch?: number;
  readonly reason?: string;
  readonly signal?: string;
  readonly message?: string;
}

interface HostAnswer {
  readonly answer: number;
  readonly value?: unknown;
  readonly error?: { readonly code?: string; readonly message: string };
}

interface HostOptions {
  readonly pool?: PoolOptions;
  readonly zygote?: ZygoteOption;
  /** It writes its log to stderr. */
  readonly logs?: boolean;
  /** The program and arguments that start what stands behind them. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What its stderr is. Default: the test's own. */
  readonly stderr?: number;
}

/** A Node that embeds a runtime with one bridge `rows`, of `rows_bridge.py`. */
export class RowsHost {
  readonly events: HostEvent[] = [];
  readonly #waiting = new Map<number, (answer: HostAnswer) => void>();
  readonly #send: (order: object) => void;
  readonly #end: () => Promise<void>;
  readonly process: ChildProcess | undefined;
  #next = 1;

  private constructor(place: 'process' | 'thread', options: HostOptions) {
    const { pool = { size: 1 }, zygote = false, logs = false } = options;
    const order = { python: PYTHON, script: fixture('rows_bridge.py'), pool, zygote, logs };
    const argument = JSON.stringify(order);
    if (place === 'thread') {
      const thread = new Worker(HOST, { argv: [argument] });
      thread.on('message', (message: HostEvent | HostAnswer) => this.#take(message));
      this.#send = (message) => thread.postMessage(message);
      this.#end = async () => {
        await thread.terminate();
      };
      return;
    }
    const child = startProcess(argument, options);
    this.process = child;
    const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
    createInterface({ input: child.stdout! }).on('line', (line) =>
      this.#take(JSON.parse(line) as HostEvent | HostAnswer),
    );
    this.#send = (message) => child.stdin!.write(`${JSON.stringify(message)}\n`);
    this.#end = async () => {
      child.stdin!.end();
      try {
        await until(isOver, ANSWER_MS);
      } finally {
        child.kill('SIGKILL');
      }
    };
  }

  static async start(options: HostOptions = {}): Promise<RowsHost> {
    const host = new RowsHost('process', options);
    await host.until('started');
    return host;
  }

  /** In a thread of this process. */
  static async startThread(options: HostOptions = {}): Promise<RowsHost> {
    const host = new RowsHost('thread', options);
    await host.until('started');
    return host;
  }

  /** Have it carry out an order. @throws an error with the code that the host met. */
  async order(type: string, more: object = {}): Promise<unknown> {
    const number = this.#next;
    this.#next += 1;
    let answer: HostAnswer | undefined;
    this.#waiting.set(number, (found) => {
      answer = found;
    });
    this.#send({ ...more, type, number });
    await until(() => answer !== undefined, ANSWER_MS);
    const { value, error } = answer!;
    if (error !== undefined) throw Object.assign(new Error(error.message), { code: error.code });
    return value;
  }

  call(op: string, args: object = {}, options: object = {}): Promise<unknown> {
    return this.order('call', { op, args, options });
  }

  /** It has told such an event. */
  async until(event: string, epoch?: number): Promise<HostEvent> {
    const find = (): HostEvent | undefined =>
      this.events.find((e) => e.event === event && (epoch ?? e.epoch) === e.epoch);
    await until(() => find() !== undefined, START_MS);
    return find()!;
  }

  /** Its orders are over; a process stops its runtime, a thread ends as it is. */
  end(): Promise<void> {
    return this.#end();
  }

  #take(message: HostEvent | HostAnswer): void {
    if ('event' in message) this.events.push(message);
    else this.#waiting.get(message.answer)?.(message);
  }
}

function startProcess(argument: string, options: HostOptions): ChildProcess {
  const [command, ...args] = [...(options.within ?? []), process.execPath, HOST, argument];
  const stdio: StdioOptions = ['pipe', 'pipe', options.stderr ?? 'inherit'];
  return spawn(command, args, { env: { ...process.env, ...options.env }, stdio });
}
