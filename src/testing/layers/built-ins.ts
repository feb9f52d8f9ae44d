// What do the operations that every bridge has answer, where no Python is? As `BaseBridge` does, with the ported design's fields.
import type { Clock } from '../../../actors/ground/clock.ts';
import type { AdapterDefinition } from '../../adapters/adapter.ts';
import { BUILT_IN_OPERATIONS } from '../../adapters/adapter.ts';

const MS_PER_S = 1_000;
const MODE = 'pool-worker';

/** What a worker says of its framework when that is mocked. */
export function frameworkOf({ framework, operations }: AdapterDefinition): {
  readonly name: string;
  readonly version: string;
  readonly capabilities: readonly string[];
} {
  const mocked = Object.keys(operations).filter((op) => operations[op]?.mock !== undefined);
  return { name: framework, version: 'mock', capabilities: mocked };
}

/** What a worker says of single operations. */
export function schemasOf({
  operations,
}: AdapterDefinition): Readonly<Record<string, { stream: true }>> {
  const streams = Object.entries(operations).filter(([, { stream }]) => stream === true);
  return Object.fromEntries(streams.map(([op]) => [op, { stream: true }]));
}

/** All operations, those of every bridge first. */
export function operationsOf({ operations }: AdapterDefinition): readonly string[] {
  return [...BUILT_IN_OPERATIONS, ...Object.keys(operations)];
}

/** What every bridge counts and answers. */
export class BuiltIns {
  readonly #adapter: AdapterDefinition;
  readonly #workerId: string;
  readonly #clock: Clock;
  readonly #startedMs: number;
  commandCount = 0;
  errorCount = 0;

  constructor(adapter: AdapterDefinition, workerId: string, clock: Clock) {
    this.#adapter = adapter;
    this.#workerId = workerId;
    this.#clock = clock;
    this.#startedMs = clock.nowMs();
  }

  /** @returns undefined when the operation is none of those. */
  answer(op: string): Readonly<Record<string, unknown>> | undefined {
    const uptime = (this.#clock.nowMs() - this.#startedMs) / MS_PER_S;
    const framework = frameworkOf(this.#adapter);
    const workerId = this.#workerId;
    switch (op) {
      case 'ping': {
        const timestamp = this.#clock.wallMs() / MS_PER_S;
        return { status: 'ok', timestamp, uptime, mode: MODE, worker_id: workerId, framework };
      }
      case 'get_stats':
        return {
          ...{ command_count: this.commandCount, error_count: this.errorCount },
          ...{ uptime, framework },
        };
      case 'get_capabilities':
        return {
          ...{ framework, supported_operations: operationsOf(this.#adapter), mode: MODE },
          operations: schemasOf(this.#adapter),
        };
      case 'shutdown':
        return { status: 'shutting_down', worker_id: workerId, mode: MODE };
      default:
        return undefined;
    }
  }
}
