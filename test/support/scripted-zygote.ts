// What stands in for a zygote? A process and its one connection, whose facts a test tells in any order, and a host that counts starts.
import { encodeFrame, FrameDecoder } from '../../actors/port/frame.ts';
import type { Host } from '../../actors/port/host.ts';
import type { ProcessFact, Spawner } from '../../actors/port/launcher.ts';
import type { LinkFact, ZygoteLane, ZygoteTransport } from '../../actors/port/transport.ts';

const FRAME_BYTES_MAX = 1 << 20;

export const ZYGOTE_HELLO = {
  ...{ type: 'hello', protocol: '2.1', packageVersion: '0.1.0', python: '3.11.7' },
  ...{ implementation: 'cpython', pid: 50, gil: 'enabled' },
};
export const ZYGOTE_READY = { type: 'ready', modules: 100, importMs: 7, hazard: null };

/** One incarnation after the other; facts go to the last that was started. */
export class ScriptedZygote implements Spawner, ZygoteTransport {
  readonly address = '/socket';
  /** What Node has written to the present one. */
  orders: Record<string, unknown>[] = [];
  readonly log: string[] = [];
  pid = 49;
  env: Readonly<Record<string, string>> = {};
  #tellProcess: (fact: ProcessFact) => void = () => undefined;
  #tellLink: (fact: LinkFact<ZygoteLane>) => void = () => undefined;

  spawn(...[request, listener]: Parameters<Spawner['spawn']>): ReturnType<Spawner['spawn']> {
    this.pid += 1;
    this.env = request.env;
    this.#tellProcess = listener;
    this.log.push(`start ${this.pid}`);
    const { pid } = this;
    return {
      kill: (signal) => this.log.push(`${signal} ${pid}`),
      notify: (signal) => this.log.push(`${signal} ${pid}`),
    };
  }

  expectZygote(
    ...[, listener]: Parameters<ZygoteTransport['expectZygote']>
  ): ReturnType<ZygoteTransport['expectZygote']> {
    const decoder = new FrameDecoder(FRAME_BYTES_MAX);
    this.orders = [];
    this.#tellLink = listener;
    return {
      write: (bytes) => this.orders.push(...decoder.push(Buffer.from(bytes))),
      end: () => this.log.push('end of lane'),
      close: () => this.log.push('close'),
    };
  }

  spawned(): void {
    this.#tellProcess({ type: 'spawned', pid: this.pid });
  }

  connected(): void {
    this.#tellLink({ type: 'opened', lane: 'zygote' });
  }

  say(...messages: readonly object[]): void {
    for (const message of messages) this.sayBytes(encodeFrame(message));
  }

  sayBytes(bytes: Buffer): void {
    this.#tellLink({ type: 'bytes', lane: 'zygote', bytes });
  }

  /** Up to the point where it forks. */
  comeUp(ready: object = ZYGOTE_READY): void {
    this.spawned();
    this.connected();
    this.say(ZYGOTE_HELLO, ready);
  }

  disconnected(): void {
    this.#tellLink({ type: 'ended', lane: 'zygote' });
  }

  print(text: string): void {
    this.#tellProcess({ type: 'output', stream: 'stderr', bytes: Buffer.from(text) });
  }

  failed(error: Error): void {
    this.#tellProcess({ type: 'failed', error });
  }

  exited(status: number | null, signal: string | null = null): void {
    this.#tellProcess({ type: 'exited', status, signal });
    this.#tellProcess({ type: 'closed' });
  }
}

/** A host in which processes start when a test says so. */
export class ScriptedHost implements Pick<Host, 'readProcess'> {
  readonly starts = new Map<number, number>();
  state: 'sleeping' | 'stopped' = 'sleeping';

  readProcess(pid: number): ReturnType<Host['readProcess']> {
    const startTicks = this.starts.get(pid);
    if (startTicks === undefined) return undefined;
    return {
      ...{ state: this.state, cpuMs: 0, startTicks, parentPid: 50 },
      ...{ groupId: pid, sessionId: pid, threads: 1, rssBytes: 1 },
    };
  }
}
