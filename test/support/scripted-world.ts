// What stands in for the operating system and for Python? Scripted processes behind the real ports, speaking the real wire, in any order of events.
import { FrameDecoder } from '../../actors/port/frame.ts';
import type {
  NoticeSignal,
  ProcessFact,
  SpawnedProcess,
  Spawner,
  SpawnRequest,
} from '../../actors/port/launcher.ts';
import { PROTOCOL_VERSION } from '../../actors/port/message.ts';
import type { Link, LinkFact, Transport } from '../../actors/port/transport.ts';
import {
  ScriptedProcess,
  type AnswerMessage,
  type CallMessage,
  type Header,
  type StartScript,
} from './scripted-process.ts';

export {
  ScriptedProcess,
  type AnswerMessage,
  type CallMessage,
  type Header,
  type StartScript,
} from './scripted-process.ts';

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
  /** The version that its workers speak. Default: the newest. */
  readonly protocol?: string | undefined;
}

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
          if (process.isAlive && !process.isFrozen) this.#options.onNotify?.(process, signal);
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
            if (process.isAlive && !process.isFrozen) this.#options.onCall(process, call);
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

  get protocol(): string {
    return this.#options.protocol ?? PROTOCOL_VERSION;
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
