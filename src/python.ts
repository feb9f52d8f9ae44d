// What is the shortest way from a Python file to its functions? A runtime of one bridge.
import { parse } from 'node:path';

import type { Callbacks } from './calls/callbacks.ts';
import type { CallOptions } from './calls/call-options.ts';
import type { CallStream } from './calls/call-stream.ts';
import type { BridgeConfig, RuntimeConfig } from './config.ts';
import type { PoolOptions } from '../supervisors/pool/pool-options.ts';
import { createRuntime, type Runtime } from './runtime.ts';

/** What may be said of a file that is used by itself. */
export interface PythonOptions {
  /** What errors and events call it. Default: the file's name without its ending. */
  readonly name?: string | undefined;
  /** The interpreter. Default: as `createRuntime` finds it. */
  readonly python?: string | undefined;
  /** Its workers. Default: one. */
  readonly pool?: PoolOptions | undefined;
  /** The class to use; needed only when there are several, or when it is no bridge. */
  readonly pythonClass?: string | undefined;
  /** Distributions that it needs, e.g. `['numpy>=2']`: a clear error where one is missing. */
  readonly requiredPackages?: readonly string[] | undefined;
  /** Environment variables for its workers; only an allow-list is inherited. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Functions that it may call. */
  readonly callbacks?: Callbacks | undefined;
  readonly logger?: RuntimeConfig['logger'];
}

/** A Python file in use. `await using` closes it. */
export interface PythonFile extends AsyncDisposable {
  /** All of the runtime behind it: statistics, events, the tree. */
  readonly runtime: Runtime;
  /**
   * Call one of its functions. An object is its arguments by name; anything else is the one argument of its first parameter.
   * @throws a {@link CaduceusError}; Python's exceptions are a {@link PythonError}.
   */
  call(name: string, args?: unknown, options?: CallOptions): Promise<unknown>;
  /** Call one that yields, and read it item by item. */
  stream<Item = unknown>(name: string, args?: unknown, options?: CallOptions): CallStream<Item>;
  /** Stop its workers. Bounded. */
  close(): Promise<void>;
}

/**
 * Use a Python file: its public functions, or the operations of its bridge.
 * @param scriptPath a `.py` file, relative to the working directory.
 * @returns once its first worker is ready.
 * @throws as {@link createRuntime}.
 * @example `await using model = await python('./model.py'); await model.call('predict', [1, 2, 3]);`
 */
export async function python(scriptPath: string, options: PythonOptions = {}): Promise<PythonFile> {
  const { name = nameOf(scriptPath), python: interpreter, logger, pool, ...more } = options;
  const bridge: BridgeConfig = { scriptPath, pool: { size: 1, ...pool }, ...more };
  const bridges: Readonly<Record<string, BridgeConfig>> = { [name]: bridge };
  const runtime: Runtime = await createRuntime({ python: interpreter, logger, bridges });
  const handle = runtime.pool(name);
  const close = async (): Promise<void> => {
    await runtime.stop();
  };
  return {
    runtime,
    call: (op, args, callOptions) => handle.call(op, args, callOptions),
    stream: (op, args, callOptions) => handle.stream(op, args, callOptions),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A name that a bridge may have. */
function nameOf(scriptPath: string): string {
  const stem = parse(scriptPath).name.replaceAll(/[^\w-]/gu, '_');
  return /^[A-Za-z]/u.test(stem) && stem !== 'registry' ? stem : `python_${stem}`;
}
