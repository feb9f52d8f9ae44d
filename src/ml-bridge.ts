// How does a caller use any framework alike? The unified configure, createProgram, execute of the ported design.
import { AmbiguousIdError, InvalidResultError } from '../actors/ground/bridge-errors.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import { suggestion } from '../actors/ground/nearest.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import type { Args } from './adapters/adapter.ts';
import type { BridgeHandle } from './bridge-handle.ts';
import type { CallOptions } from './calls/call-options.ts';
import { CallStream } from './calls/call-stream.ts';
import { sessionOf } from './caller.ts';
import { ChosenIds } from './ml-ids.ts';

export interface MlOptions extends CallOptions {
  /** Which bridge. Default: the one that the id names, else the runtime's default. */
  readonly bridge?: string | undefined;
}

/** The bridges that there are. */
export interface HandleTable {
  readonly names: readonly string[];
  get(name: string): { readonly handle: BridgeHandle } | undefined;
}

/** The unified interface: `runtime.ml`. */
export class MlBridge {
  readonly #bridges: HandleTable;
  readonly #default: string;
  readonly #chosen = new ChosenIds();

  /** @internal made by the runtime */
  constructor(bridges: HandleTable, defaultBridge: string) {
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
    await handle.call(handle.role('configure'), config, options);
  }

  /**
   * Create a program (a chain, a model) and give its id. It belongs to the session, or without one to the bridge, where any call without a session may use it on any worker.
   * It outlives its worker: the next incarnation is given it again before the first call that needs it.
   */
  async createProgram(config: object, options: MlOptions = {}): Promise<string> {
    const handle = this.#bridge(options.bridge ?? this.#default);
    const op = handle.role('create');
    const id = await handle.call(op, config, options);
    if (typeof id !== 'string') {
      const error = new InvalidResultError(op, 'id', `must be a string, found ${typeof id}`);
      error.bridge = handle.name;
      throw error;
    }
    // Those that are minted name their bridge themselves; one that its caller chose may look like them.
    if (this.#named(id) !== handle.name || isAmong(config, id))
      this.#chosen.add(scopeOf(options), id, handle.name);
    return id;
  }

  /** Run a program with these inputs; the outputs by name. */
  async execute(
    programId: string,
    inputs: object,
    options: MlOptions = {},
  ): Promise<Record<string, unknown>> {
    const handle = this.#bridge(options.bridge ?? this.#bridgeOf(programId, options));
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
    return this.#streamed(() => {
      const handle = this.#bridge(options.bridge ?? this.#bridgeOf(programId, options));
      const op = handle.adapter.roles?.stream ?? handle.role('execute');
      return handle.stream<Item>(op, { id: programId, inputs }, options);
    });
  }

  /** What the scope (the session, or without one the bridge) has. */
  async listPrograms(options: MlOptions = {}): Promise<unknown> {
    const handle = this.#bridge(options.bridge ?? this.#default);
    return handle.call(handle.role('list'), {}, options);
  }

  /** Forget a program, also for every later incarnation. */
  async deleteProgram(programId: string, options: MlOptions = {}): Promise<void> {
    const handle = this.#bridge(options.bridge ?? this.#bridgeOf(programId, options));
    await handle.call(handle.role('delete'), { id: programId }, options);
    this.#chosen.remove(scopeOf(options), programId, handle.name);
  }

  /**
   * Run any operation of a bridge, the default one if none is named.
   * @throws a {@link CaduceusError}.
   */
  async executeOperation(op: string, args?: unknown, options: MlOptions = {}): Promise<unknown> {
    return this.#bridge(options.bridge ?? this.#default).call(op, args, options);
  }

  /** Run one, and read what it yields. */
  streamOperation<Item = unknown>(
    op: string,
    args?: unknown,
    options: MlOptions = {},
  ): CallStream<Item> {
    return this.#streamed(() =>
      this.#bridge(options.bridge ?? this.#default).stream<Item>(op, args, options),
    );
  }

  /** Also that there is no such bridge comes from the stream. */
  #streamed<Item>(open: () => CallStream<Item>): CallStream<Item> {
    try {
      return open();
    } catch (error) {
      return CallStream.failed(errorFrom(error));
    }
  }

  #bridge(name: string): BridgeHandle {
    const row = this.#bridges.get(name);
    if (row !== undefined) return row.handle;
    const known = suggestion(name, this.#bridges.names);
    throw new InvalidConfigError('bridge', `${name} is not configured; ${known}`);
  }

  /**
   * That which has made it, as far as is known; else the default one.
   * @throws {@link AmbiguousIdError} when several have.
   */
  #bridgeOf(id: string, options: MlOptions): string {
    if (typeof id !== 'string') throw new InvalidConfigError('programId', 'must be a string');
    const chosen = this.#chosen.bridgesOf(scopeOf(options), id);
    // What was made by one that has been unregistered is in nobody's way.
    const there = chosen.filter((name) => this.#bridges.get(name) !== undefined);
    if (there.length > 1) throw new AmbiguousIdError(id, there);
    return there[0] ?? chosen[0] ?? this.#named(id) ?? this.#default;
  }

  /** The bridge whose name an id carries. A bridge's name may have a `_` of its own. */
  #named(id: string): string | undefined {
    for (let at = id.lastIndexOf('_'); at > 0; at = id.lastIndexOf('_', at - 1)) {
      const name = id.slice(0, at);
      if (this.#bridges.get(name) !== undefined) return name;
    }
    return undefined;
  }
}

/** Whether one of its fields is this text. */
function isAmong(config: object, text: string): boolean {
  return Object.values(config).includes(text);
}

function scopeOf({ sessionId }: MlOptions): string | undefined {
  return sessionOf(sessionId);
}
