// What stands in for the operating system and for Python? Scripted processes behind the real ports, speaking the real wire, in any order of events.
import { encodeFrame, FrameDecoder } from '../../actors/port/frame.ts';
import type {
  NoticeSignal,
  ProcessFact,
  SpawnedProcess,
  Spawner,
  SpawnRequest,
} from '../../actors/port/launcher.ts';
import {
  LANES,
  type Lane,
  type Link,
  type LinkFact,
  type Transport,
} from '../../actors/port/transport.ts';

/** A call as it stands on the wire. */
export interface CallMessage {
  readonly id: number;
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly session: string | null;
  readonly deadlineMs: number;
  readonly stream?: { readonly credit: number };
  readonly parent?: number;
  readonly callback?: number;
  readonly trace?: object;
}

/** The answer to a callback as it stands on the wire. */
export interface AnswerMessage {
  readonly type: 'callback_result';
  readonly callback: number;
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: { readonly type: string; readonly message: string; readonly code: string };
}

/** How one incarnation behaves from its start on. */
export type StartScript =
  | { readonly type: 'ready' }
  | { readonly type: 'import_fails' }
  | { readonly type: 'exits_before_hello'; readonly status: number }
  | { readonly type: 'hangs' };

export interface WorldOptions {
  /** The script of the next incarnation. */
  readonly nextStart: () => StartScript;
  /** What a worker does with a call: answer with `reply`/`fail`, `exit`, or nothing, which is a hang. */
  readonly onCall: (process: ScriptedProcess, call: CallMessage) => void;
  /** What it does with a message on the control lane, besides saying hello, pong and goodbye. */
  readonly onControl?: ((process: ScriptedProcess, message: Header) => void) | undefined;
  /** What it does with the answer to a callback of its own. */
  readonly onAnswer?: ((process: ScriptedProcess, answer: AnswerMessage) => void) | undefined;
  /** What a signal to the process alone does. */
  readonly onNotify?: ((process: ScriptedProcess, signal: NoticeSignal) => void) | undefined;
  /** Default 1. */
  readonly concurrency?: number | undefined;
  /** Default: `sync` for a concurrency of 1, else `asyncio`. */
  readonly execution?: 'sync' | 'threads' | 'asyncio' | undefined;
}

type Header = Readonly<Record<string, unknown>>;

const FRAME_BYTES_MAX = 1 << 20;

/**
 * Spawner and transport in one. Nothing happens by itself: every fact waits in a channel of its own (facts of one lane keep their order, lanes do not wait for each
 * other), and `step(choice)` delivers the first of one of them.
 */
export class ScriptedWorld implements Spawner, Transport {
  readonly address = 'scripted';
  readonly processes: ScriptedProcess[] = [];
  /** Every call that was written, to whomever. */
  readonly callsWritten: CallMessage[] = [];
  /** Calls written to an incarnation of which Node had been told the end. Must stay empty. */
  readonly callsToTheDead: CallMessage[] = [];
  readonly #options: WorldOptions;
  readonly #links = new Map<string, (fact: LinkFact) => void>();
  readonly #channels = new Map<string, (() => void)[]>();

  constructor(options: WorldOptions) {
    this.#options = options;
  }

  spawn(request: SpawnRequest, listener: (fact: ProcessFact) => void): SpawnedProcess {
    const { nonce } = JSON.parse(request.env['CADUCEUS_WORKER'] ?? '{}') as { nonce: string };
    const process = new ScriptedProcess(this, this.processes.length + 1, nonce, listener);
    this.processes.push(process);
    this.later(`${process.pid}/start`, () => {
      process.start(this.#options.nextStart());
    });
    return {
      kill: (signal) => {
        this.later(`${process.pid}/signal`, () => {
          process.exit(null, signal);
        });
      },
      notify: (signal) => {
        this.later(`${process.pid}/notice`, () => {
          if (process.isAlive) this.#options.onNotify?.(process, signal);
        });
      },
    };
  }

  expect(nonce: string, listener: (fact: LinkFact) => void): Link {
    this.#links.set(nonce, listener);
    const decoder = new FrameDecoder(FRAME_BYTES_MAX);
    return {
      write: (lane, parts) => {
        const bytes = parts instanceof Uint8Array ? Buffer.from(parts) : Buffer.concat(parts);
        const process = this.#processOf(nonce);
        // As on a real socket: what is written before Node has met the connection goes nowhere.
        if (!process.openLanes.has(lane)) return;
        if (lane === 'control') {
          for (const message of new FrameDecoder(FRAME_BYTES_MAX).push(bytes)) {
            this.later(`${process.pid}/to`, () => {
              process.onControl(message);
            });
          }
          return;
        }
        for (const message of decoder.push(bytes)) {
          if (message['type'] === 'callback_result') {
            const answer = message as unknown as AnswerMessage;
            process.answers.push(answer);
            this.later(`${process.pid}/to`, () => {
              if (process.isAlive) this.#options.onAnswer?.(process, answer);
            });
            continue;
          }
          const call = message as unknown as CallMessage;
          process.calls.push(call);
          this.callsWritten.push(call);
          if (process.isKnownDead) this.callsToTheDead.push(call);
          this.later(`${process.pid}/to`, () => {
            if (process.isAlive) this.#options.onCall(process, call);
          });
        }
      },
      close: () => {
        this.#links.delete(nonce);
      },
    };
  }

  get concurrency(): number {
    return this.#options.concurrency ?? 1;
  }

  get execution(): 'sync' | 'threads' | 'asyncio' {
    return this.#options.execution ?? (this.concurrency === 1 ? 'sync' : 'asyncio');
  }

  get onControl(): WorldOptions['onControl'] {
    return this.#options.onControl;
  }

  /** Facts that wait to be told. */
  get pending(): number {
    return this.#channels.size;
  }

  /** Deliver the first fact of one channel. @returns false when there is none. */
  step(choice = 0): boolean {
    const names = [...this.#channels.keys()];
    const name = names[choice % names.length];
    if (name === undefined) return false;
    const channel = this.#channels.get(name) ?? [];
    const deliver = channel.shift();
    if (channel.length === 0) this.#channels.delete(name);
    deliver?.();
    return true;
  }

  /** Put a fact into its channel. */
  later(channel: string, deliver: () => void): void {
    const waiting = this.#channels.get(channel) ?? [];
    waiting.push(deliver);
    this.#channels.set(channel, waiting);
  }

  tellLink(nonce: string, fact: LinkFact): void {
    this.#links.get(nonce)?.(fact);
  }

  #processOf(nonce: string): ScriptedProcess {
    const process = this.processes.find((one) => one.nonce === nonce);
    if (process === undefined) throw new Error('written to a worker that was never started');
    return process;
  }
}

export class ScriptedProcess {
  readonly pid: number;
  readonly nonce: string;
  /** What it knows by scope: the ids it was told to create. */
  readonly known = new Map<string, Set<string>>();
  /** What was written to it: calls, answers to its callbacks, and what it was told on the control lane. */
  readonly calls: CallMessage[] = [];
  readonly answers: AnswerMessage[] = [];
  readonly orders: Header[] = [];
  /** Lanes that Node knows to be open. */
  readonly openLanes = new Set<Lane>();
  readonly #world: ScriptedWorld;
  readonly #listener: (fact: ProcessFact) => void;
  #life: 'alive' | 'dead' | 'known_dead' = 'alive';
  #script: StartScript = { type: 'hangs' };

  constructor(
    world: ScriptedWorld,
    pid: number,
    nonce: string,
    listener: (fact: ProcessFact) => void,
  ) {
    this.#world = world;
    this.pid = pid;
    this.nonce = nonce;
    this.#listener = listener;
  }

  get isAlive(): boolean {
    return this.#life === 'alive';
  }

  /** Whether Node has been told of its end. */
  get isKnownDead(): boolean {
    return this.#life === 'known_dead';
  }

  start(script: StartScript): void {
    if (!this.isAlive) return;
    this.#script = script;
    this.#tellProcess({ type: 'spawned', pid: this.pid });
    if (script.type === 'exits_before_hello') {
      this.exit(script.status, null);
      return;
    }
    if (script.type === 'hangs') return;
    for (const lane of LANES) this.#tellLane(lane, { type: 'opened', lane });
    this.emit('control', {
      type: 'hello',
      protocol: '2.1',
      packageVersion: '0.1.0',
      python: '3.11.0',
      implementation: 'cpython',
      pid: this.pid,
      gil: 'enabled',
    });
  }

  onControl(message: Record<string, unknown>): void {
    if (!this.isAlive) return;
    this.orders.push(message);
    if (message['type'] === 'shutdown') this.exit(0, null);
    if (message['type'] === 'ping')
      this.emit('control', { ...message, type: 'pong', running: null });
    this.#world.onControl?.(this, message);
    if (message['type'] !== 'welcome') return;
    if (this.#script.type === 'import_fails') {
      const error = {
        type: 'ImportError',
        message: 'no',
        traceback: 'Traceback: no',
        code: 'python_error',
      };
      this.emit('control', { type: 'failed', error });
      this.exit(1, null);
      return;
    }
    this.emit('control', {
      type: 'ready',
      bridge: 'scripted',
      framework: { name: 'scripted', version: '1', capabilities: [] },
      operations: [],
      schemas: {},
      schemaHash: '0',
      execution: this.#world.execution,
      concurrency: this.#world.concurrency,
    });
  }

  reply(id: number, result: unknown): void {
    this.emit('replies', { type: 'reply', id, ok: true, result });
  }

  fail(id: number, code: string): void {
    const error = { type: 'BridgeError', message: code, traceback: 'Traceback', code };
    this.emit('replies', { type: 'reply', id, ok: false, error });
  }

  /** What it was told on the control lane about its calls, in short. */
  get said(): readonly string[] {
    return this.orders
      .filter(({ type }) => ['cancel', 'withdraw', 'credit'].includes(String(type)))
      .map(({ type, id, stage, n }) => [type, id, stage ?? n].filter(Boolean).join(' '));
  }

  emit(lane: Lane, message: object): void {
    this.emitBytes(lane, encodeFrame(message));
  }

  emitBytes(lane: Lane, bytes: Buffer): void {
    this.#tellLane(lane, { type: 'bytes', lane, bytes });
  }

  /** Exit status and ends of the lanes travel apart: either may come first. */
  exit(status: number | null, signal: string | null): void {
    if (!this.isAlive) return;
    this.#life = 'dead';
    for (const lane of LANES) this.#tellLane(lane, { type: 'ended', lane });
    this.#tellProcess({ type: 'exited', status, signal });
    this.#tellProcess({ type: 'closed' });
  }

  #tellLane(lane: Lane, fact: LinkFact): void {
    this.#world.later(`${this.pid}/${lane}`, () => {
      if (fact.type === 'opened') this.openLanes.add(lane);
      if (fact.type === 'ended' && lane !== 'stdout' && lane !== 'stderr')
        this.#life = 'known_dead';
      this.#world.tellLink(this.nonce, fact);
    });
  }

  #tellProcess(fact: ProcessFact): void {
    this.#world.later(`${this.pid}/process`, () => {
      if (fact.type === 'exited') this.#life = 'known_dead';
      this.#listener(fact);
    });
  }
}
