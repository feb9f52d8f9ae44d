// Which operations do the bridges of a running program have? Asked of their workers, once for each.
import type { BridgeHandle } from '../bridge-handle.ts';

/** What is known of one operation. */
export interface Operation {
  readonly name: string;
  readonly streams: boolean;
  readonly description: string | undefined;
  /** By name, `?` behind those that may be left out. */
  readonly args: readonly string[];
}

/** Python's answer to `get_capabilities`, as far as it is of use here. */
interface Capabilities {
  readonly supported_operations?: unknown;
  readonly operations?: unknown;
}

/** For a bridge that does not say what it can do. */
const ANSWER_MS = 30_000;

/** The operations of bridges, each bridge asked when it is first needed. */
export class Catalog {
  readonly #asked = new Map<string, Promise<readonly Operation[]>>();
  readonly #known = new Map<string, readonly Operation[]>();

  /** Never rejects: what a bridge does not tell, its adapter may. */
  operationsOf(handle: BridgeHandle): Promise<readonly Operation[]> {
    const { name } = handle;
    const asked = this.#asked.get(name) ?? this.#ask(handle);
    this.#asked.set(name, asked);
    return asked;
  }

  /** What is known by now, without asking anybody. */
  known(handle: BridgeHandle): readonly Operation[] {
    return this.#known.get(handle.name) ?? fromAdapter(handle);
  }

  async #ask(handle: BridgeHandle): Promise<readonly Operation[]> {
    let operations: readonly Operation[] = [];
    try {
      const answer = await handle.call('get_capabilities', {}, { timeoutMs: ANSWER_MS });
      operations = joined(fromAnswer(answer as Capabilities), fromAdapter(handle));
      this.#known.set(handle.name, operations);
    } catch {
      // It may answer the next time: a call says what is wrong.
      this.#asked.delete(handle.name);
      operations = fromAdapter(handle);
    }
    return operations;
  }
}

function fromAnswer({
  supported_operations: names,
  operations,
}: Capabilities): readonly Operation[] {
  const schemas = isObject(operations) ? operations : {};
  return (Array.isArray(names) ? names : []).map(String).map((name) => {
    const schema = schemas[name];
    const about = isObject(schema) ? schema : {};
    const { description } = about;
    return {
      name,
      streams: about['stream'] === true,
      description: typeof description === 'string' ? description : undefined,
      args: argsOf(about['args']),
    };
  });
}

function fromAdapter({ adapter }: BridgeHandle): readonly Operation[] {
  return Object.entries(adapter.operations).map(([name, { stream, description }]) => ({
    name,
    streams: stream === true,
    description,
    args: [],
  }));
}

/** What Python says, with what only the adapter knows. */
function joined(python: readonly Operation[], adapter: readonly Operation[]): readonly Operation[] {
  return python.map((operation) => {
    const more = adapter.find(({ name }) => name === operation.name);
    return {
      ...operation,
      streams: operation.streams || more?.streams === true,
      description: operation.description ?? more?.description,
    };
  });
}

function argsOf(schema: unknown): readonly string[] {
  if (!isObject(schema) || !isObject(schema['properties'])) return [];
  const required = Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : [];
  return Object.keys(schema['properties']).map((name) =>
    required.includes(name) ? name : `${name}?`,
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
