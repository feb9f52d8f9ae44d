// What does a runtime of layer 1 stand on? Workers in this process: no interpreter, no socket, no folder.
import type { Clock } from '../../../actors/ground/clock.ts';
import type { Host } from '../../../actors/port/host.ts';
import type { SpawnedProcess, Spawner } from '../../../actors/port/launcher.ts';
import { noGuard } from '../../../actors/port/run-guard.ts';
import type { LinkFact, Transport, ZygoteTransport } from '../../../actors/port/transport.ts';
import type { Outside } from '../../outside.ts';
import type { MockedBridge } from './mock-answer.ts';
import { MockWorker } from './mock-worker.ts';

/** Above any pid that Linux or macOS gives, so that whoever signals one hits nobody. */
const PID_MIN = 1_000_000_000;

/** The operating system knows none of them. */
const NO_HOST: Host = { readProcess: () => undefined, countOpenFiles: () => undefined };

/** The world of layer 1. @param bridgeOf a bridge by its name. */
export function inProcess(
  prepare: Outside['prepare'],
  bridgeOf: (name: string) => MockedBridge,
): Outside {
  return {
    prepare,
    findInterpreter: () => Promise.resolve({ executable: 'mock', version: '0' }),
    open: (_guardianCommand, { clock }) => {
      const world = new InProcess(clock, bridgeOf);
      return Promise.resolve({
        ...{ spawner: world, transport: world, host: NO_HOST, guard: noGuard },
        makeScratch: (name) => ({ path: name, remove: () => undefined }),
        close: () => Promise.resolve(),
      });
    },
  };
}

class InProcess implements Spawner, Transport, ZygoteTransport {
  readonly address = 'in this process';
  readonly #clock: Clock;
  readonly #bridgeOf: (name: string) => MockedBridge;
  /** By nonce, as long as somebody listens. */
  readonly #listeners = new Map<string, (fact: LinkFact) => void>();
  readonly #workers = new Map<string, MockWorker>();
  #starts = 0;

  constructor(clock: Clock, bridgeOf: (name: string) => MockedBridge) {
    this.#clock = clock;
    this.#bridgeOf = bridgeOf;
  }

  spawn(...[request, listener]: Parameters<Spawner['spawn']>): SpawnedProcess {
    const invitation = JSON.parse(request.env['CADUCEUS_WORKER'] ?? '{}') as { nonce: string };
    const { nonce } = invitation;
    this.#starts += 1;
    const worker = new MockWorker({
      ...{ pid: PID_MIN + this.#starts, clock: this.#clock, bridgeOf: this.#bridgeOf },
      tellProcess: listener,
      tellLink: (fact) => this.#listeners.get(nonce)?.(fact),
    });
    this.#workers.set(nonce, worker);
    return {
      kill: (signal) => worker.kill(signal),
      // A cancelled call has ended with the first word of it.
      notify: () => undefined,
    };
  }

  expect(...[nonce, listener]: Parameters<Transport['expect']>): ReturnType<Transport['expect']> {
    this.#listeners.set(nonce, listener);
    return {
      write: (lane, bytes) => {
        // Copied, as a socket would: the caller's arrays stay the caller's.
        const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
        this.#workers.get(nonce)?.receive(lane, Buffer.concat(parts));
      },
      close: () => {
        this.#listeners.delete(nonce);
        this.#workers.delete(nonce);
      },
    };
  }

  expectZygote(): never {
    throw new Error('layer 1 forks nothing');
  }
}
