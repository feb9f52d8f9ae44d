// How does a caller use any framework alike? The unified configure, createProgram, execute of the ported design.
import { suggestion } from '../actors/ground/nearest.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Args } from './adapters/adapter.ts';
import type { BridgeHandle } from './bridge-handle.ts';
import type { CallOptions } from './call-options.ts';
import type { CallStream } from './call-stream.ts';

export interface MlOptions extends CallOptions {
  /** Which bridge. Default: the one that the id names, else the runtime's default. */
  readonly bridge?: string | undefined;
}

/** The unified interface: `runtime.ml`. */
export class MlBridge {
  readonly #bridges: ReadonlyMap<string, BridgeHandle>;
  readonly #default: string;

  /** @internal made by the runtime */
  constructor(bridges: ReadonlyMap<string, BridgeHandle>, defaultBridge: string) {
    this.#bridges = bridges;
    this.#default = defaultBridge;
  }

  /**
   * Configure a bridge, e.g. its language model. Without `sessionId` it holds for the whole bridge: for every live worker before its next call, and for every later one.
   * With one it holds for that session alone.
   * @throws {@link InvalidConfigError} naming the field.
   */
  async configure(bridge: string, config: object, options: CallOptions = {}): Promise<void> {
    const handle = this.#bridge(bridge);
    handle.adapter.validateConfig?.(config as Args);
    await handle.call(handle.role('configure'), config as Args, options);
  }

  /**
   * Create a program (a chain, a model) and give its id. It belongs to the session, or without one to the bridge, where any call without a session may use it on any worker.
   * It outlives its worker: the next incarnation is given it again before the first call that needs it.
   */
  async createProgram(config: object, options: MlOptions = {}): Promise<string> {
    const handle = this.#bridge(options.bridge ?? this.#default);
    return (await handle.call(handle.role('create'), config as Args, options)) as string;
  }

  /** Run a program with these inputs; the outputs by name. */
  async execute(
    programId: string,
    inputs: object,
    options: MlOptions = {},
  ): Promise<Record<string, unknown>> {
    const handle = this.#bridge(options.bridge ?? this.#bridgeOf(programId));
    const args = { id: programId, inputs };
    return (await handle.call(handle.role('execute'), args, options)) as Record<string, unknown>;
  }

  /**
   * Run a program and read its answer as it comes, item by item: what the bridge's operation for it yields. Leaving the loop early ends the run.
   * @returns an async iterable; every error comes from it.
   */
  stream<Item = unknown>(
    programId: string,
    inputs: object,
    options: MlOptions = {},
  ): CallStream<Item> {
    const handle = this.#bridge(options.bridge ?? this.#bridgeOf(programId));
    const op = handle.adapter.roles?.stream ?? handle.role('execute');
    return handle.stream<Item>(op, { id: programId, inputs }, options);
  }

  /** What the scope (the session, or without one the bridge) has. */
  async listPrograms(options: MlOptions = {}): Promise<unknown> {
    const handle = this.#bridge(options.bridge ?? this.#default);
    return handle.call(handle.role('list'), {}, options);
  }

  /** Forget a program, also for every later incarnation. */
  async deleteProgram(programId: string, options: MlOptions = {}): Promise<void> {
    const handle = this.#bridge(options.bridge ?? this.#bridgeOf(programId));
    await handle.call(handle.role('delete'), { id: programId }, options);
  }

  #bridge(name: string): BridgeHandle {
    const handle = this.#bridges.get(name);
    if (handle !== undefined) return handle;
    const known = suggestion(name, [...this.#bridges.keys()]);
    throw new InvalidConfigError('bridge', `${name} is not configured; ${known}`);
  }

  /** Ids of ours carry their bridge's name; any other is looked for in the default one. */
  #bridgeOf(id: string): string {
    if (typeof id !== 'string') throw new InvalidConfigError('programId', 'must be a string');
    const prefix = id.slice(0, id.indexOf('_'));
    return this.#bridges.has(prefix) ? prefix : this.#default;
  }
}
