// What does one scripted process do? What it is told to: it starts, speaks on its lanes, and ends, each as a fact that waits to be delivered.
import { encodeFrame } from '../../actors/port/frame.ts';
import type { ProcessFact } from '../../actors/port/launcher.ts';
import { LANES, type Lane, type LinkFact } from '../../actors/port/transport.ts';
import type { ScriptedWorld } from './scripted-world.ts';

export type Header = Readonly<Record<string, unknown>>;

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
  readonly batch?: number;
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
  #pace: 'runs' | 'frozen' = 'runs';
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

  /** Whether it is stopped by SIGSTOP: it lives, and does nothing any more. */
  get isFrozen(): boolean {
    return this.isAlive && this.#pace === 'frozen';
  }

  /** Whether Node has been told of its end. */
  get isKnownDead(): boolean {
    return this.#life === 'known_dead';
  }

  /** SIGSTOP, as it comes from somebody else. What it has said before still arrives. */
  freeze(): void {
    this.#pace = 'frozen';
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
      protocol: this.#world.protocol,
      packageVersion: '0.1.0',
      python: '3.11.0',
      implementation: 'cpython',
      pid: this.pid,
      gil: 'enabled',
    });
  }

  onControl(message: Record<string, unknown>): void {
    if (!this.isAlive || this.isFrozen) return;
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
