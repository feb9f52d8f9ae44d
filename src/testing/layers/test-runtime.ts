// How does a test run an application without its frameworks? On a runtime of the same class, which stands on mocks, on scripted processes, or on Python.
import { CaduceusError } from '../../../actors/ground/errors.ts';
import { InvalidConfigError } from '../../../actors/ground/start-errors.ts';
import type { AdapterDefinition, TestLayer } from '../../adapters/adapter.ts';
import {
  checkConfig,
  loadBridge,
  poolOptionsOf,
  type BridgeConfig,
  type Bridges,
  type RuntimeConfig,
} from '../../config.ts';
import { systemOutside, type Outside } from '../../outside.ts';
import { createRuntimeOn, type Runtime, type RuntimeOf } from '../../runtime.ts';
import { MockChannel } from './channel.ts';
import { inProcess } from './in-process.ts';
import { Misbehaviours, type Misbehaviour, type MisbehaveWhen } from './misbehaviour.ts';
import type { MockedBridge } from './mock-answer.ts';

/** A runtime's configuration, and the layer that it is to stand on. */
export interface TestRuntimeConfig<Named extends Bridges = Bridges> extends RuntimeConfig<Named> {
  /** 1: mocks in this process. 2: mocks behind worker processes, which can misbehave. 3: Python with its frameworks. */
  readonly layer: TestLayer;
}

/** What a bridge cannot be tested on. Nothing was started. */
export class TestLayerError extends CaduceusError {
  readonly code = 'unsupported';
  readonly category = 'configuration_error';
  /** The bridge. */
  override readonly bridge: string;
  readonly layer: TestLayer;

  constructor(bridge: string, layer: TestLayer, why: string) {
    super(`bridge ${bridge} cannot be tested on layer ${layer}: ${why}`);
    this.bridge = bridge;
    this.layer = layer;
  }
}

const SCRIPTED_MODULE = 'caduceus.bridges._scripted';
const LAYERS: readonly unknown[] = [1, 2, 3];
const misbehaviours = new WeakMap<object, Misbehaviours>();

/**
 * {@link createRuntime} for tests: the same class, on the layer that is named (`docs/ml.md` §6). On layers 1 and 2 the operations of all bridges are answered by the `mock` that
 * their adapters declare. It logs nowhere unless `logger` says so.
 * @throws {@link TestLayerError} (`unsupported`) naming the bridge that does not support the layer, before anything is started; and what {@link createRuntime} throws.
 */
export async function createTestRuntime<const Named extends Bridges>(
  given: TestRuntimeConfig<Named>,
): Promise<RuntimeOf<Named>> {
  const { layer, logger = false, ...rest } = given;
  if (!LAYERS.includes(layer)) throw new InvalidConfigError('layer', '1, 2 or 3 is expected');
  const config = { ...rest, logger, bridges: layer === 3 ? rest.bridges : sourced(rest.bridges) };
  checkConfig(config);
  for (const [name, bridge] of Object.entries(config.bridges ?? {})) {
    assertSupported(name, loadBridge(name, bridge).adapter, layer);
  }
  if (layer === 3) return createRuntimeOn(systemOutside, config);
  const mocked = new MockedBridges(layer);
  if (layer === 1)
    return createRuntimeOn(inProcess(mocked.prepareInProcess, mocked.bridgeOf), config);
  const orders = new Misbehaviours();
  const channel = await MockChannel.listen({ bridgeOf: mocked.bridgeOf, misbehaviours: orders });
  try {
    const runtime = await createRuntimeOn(scripted(mocked, channel), config);
    misbehaviours.set(runtime, orders);
    return runtime;
  } catch (error) {
    await channel.close();
    throw error;
  }
}

/**
 * Have the next call, or start, of a bridge's workers go wrong. Orders for one bridge are carried out in their order.
 * @param runtime of layer 2.
 * @returns takes back what is left of the order.
 * @throws {@link InvalidConfigError} when the runtime is of another layer or has no such bridge, or naming what is wrong with the order.
 */
export function misbehave(
  runtime: Pick<Runtime, 'pool'>,
  bridge: string,
  order: Misbehaviour & MisbehaveWhen,
): () => void {
  const orders = misbehaviours.get(runtime);
  // Also says that there is no such bridge.
  runtime.pool(bridge);
  if (orders === undefined)
    throw new InvalidConfigError('runtime', 'only one of layer 2 can be told to misbehave');
  return orders.order(bridge, order);
}

/** What is mocked needs no Python code: that it has none yet is no fault. */
function sourced<Named extends Bridges>(bridges: Named | undefined): Named | undefined {
  const each = Object.entries(bridges ?? {}).map(([name, bridge]) => {
    const { scriptPath, pythonModule } = bridge;
    const source = scriptPath ?? pythonModule ?? loadBridge(name, bridge).adapter.pythonModule;
    return [name, source === undefined ? { ...bridge, pythonModule: SCRIPTED_MODULE } : bridge];
  });
  return bridges && (Object.fromEntries(each) as Named);
}

/** The bridges of one runtime, as their mocks stand in for them. */
class MockedBridges {
  readonly #layer: TestLayer;
  readonly #bridges = new Map<string, MockedBridge>();

  constructor(layer: TestLayer) {
    this.#layer = layer;
  }

  readonly bridgeOf = (name: string): MockedBridge => {
    const bridge = this.#bridges.get(name);
    if (bridge === undefined) throw new Error(`bridge ${name} was not prepared`);
    return bridge;
  };

  readonly prepareInProcess: Outside['prepare'] = (name, bridge) => ({
    ...this.#withoutFramework(name, bridge),
    zygote: false,
  });

  /** @param address where its workers ask. */
  prepareScripted(name: string, bridge: BridgeConfig, address: string): BridgeConfig {
    const mocked = this.#withoutFramework(name, bridge);
    const { zygote } = loadBridge(name, bridge).adapter;
    const { concurrency = 1 } = poolOptionsOf(name, loadBridge(name, bridge));
    const place = JSON.stringify({ socket: address, bridge: name, concurrency });
    return {
      ...mocked,
      env: { ...mocked.env, CADUCEUS_MOCKS: place },
      zygote: (bridge.zygote ?? zygote) === false ? false : { preload: [SCRIPTED_MODULE] },
    };
  }

  /** What is left of a bridge's configuration when neither its Python code nor its framework is there. */
  #withoutFramework(name: string, bridge: BridgeConfig): BridgeConfig {
    const { adapter } = loadBridge(name, bridge);
    this.#bridges.set(name, { name, adapter, layer: this.#layer });
    const { pool, startup, python, callbacks, env } = bridge;
    return {
      ...{ pool, startup, python, callbacks, env },
      adapter: withoutPython(adapter),
      pythonModule: SCRIPTED_MODULE,
      pythonClass: 'ScriptedBridge',
    };
  }
}

function scripted(mocked: MockedBridges, channel: MockChannel): Outside {
  return {
    ...systemOutside,
    prepare: (name, bridge) => mocked.prepareScripted(name, bridge, channel.address),
    open: async (guardianCommand, ports) => {
      const open = await systemOutside.open(guardianCommand, ports);
      return {
        ...open,
        close: async () => {
          await open.close();
          await channel.close();
        },
      };
    },
  };
}

function assertSupported(name: string, adapter: AdapterDefinition, layer: TestLayer): void {
  const problem = layerProblem(adapter, layer);
  if (problem !== undefined) throw new TestLayerError(name, layer, problem);
}

/** Why an adapter cannot be tested on a layer; undefined when it can. */
export function layerProblem(adapter: AdapterDefinition, layer: TestLayer): string | undefined {
  const { framework, operations } = adapter;
  const isMocked = Object.values(operations).some(({ mock }) => mock !== undefined);
  const isSupported = adapter.supportsTestLayer?.(layer) ?? (layer !== 1 || isMocked);
  if (isSupported && (isMocked || layer === 3)) return undefined;
  if (!isMocked) return `no operation of adapter ${framework} declares a mock`;
  return `adapter ${framework} does not support it`;
}

const OF_PYTHON: readonly string[] = [
  ...['pythonModule', 'pythonClass', 'requiredPackages', 'minPythonVersion', 'zygote'],
];

function withoutPython(adapter: AdapterDefinition): AdapterDefinition {
  const kept = Object.entries(adapter).filter(([key]) => !OF_PYTHON.includes(key));
  return Object.fromEntries(kept) as unknown as AdapterDefinition;
}
