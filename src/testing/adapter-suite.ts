// Does an adapter do the same on mocks, on scripted processes and on Python? Its cases, for every layer that it declares, to be put into any test runner.
import { isCaduceusError } from '../../actors/ground/errors.ts';
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { AdapterDefinition, TestLayer } from '../adapters/adapter.ts';
import type { BridgeConfig, RuntimeConfig } from '../config.ts';
import type { Runtime } from '../runtime.ts';
import { createTestRuntime, layerProblem } from './layers/test-runtime.ts';

/** What a case is told besides its runtime. */
export interface CaseContext {
  readonly layer: TestLayer;
  /** The name of the bridge. */
  readonly bridge: string;
}

/** One case of an adapter: it throws, or rejects, when it fails. */
export interface AdapterCase {
  readonly name: string;
  /** Default: all that the suite runs on. */
  readonly layers?: readonly TestLayer[];
  readonly run: (runtime: Runtime, context: CaseContext) => unknown;
}

/** What a suite is made of. */
export interface AdapterSuiteOptions extends Pick<RuntimeConfig, 'python' | 'logger' | 'secrets'> {
  readonly cases: readonly AdapterCase[];
  /** Default: all that the adapter supports. */
  readonly layers?: readonly TestLayer[];
  /** The name of the bridge. Default: the adapter's framework. */
  readonly name?: string;
  /** Its configuration, e.g. its `scriptPath`. */
  readonly bridge?: Omit<BridgeConfig, 'adapter'>;
}

/** The cases of one layer, which share a runtime. */
export interface LayerSuite {
  readonly layer: TestLayer;
  /** Start the runtime that the cases are run with; whoever does stops it. */
  readonly start: () => Promise<Runtime>;
  readonly cases: readonly {
    readonly name: string;
    readonly run: (runtime: Runtime) => Promise<void>;
  }[];
}

const LAYERS: readonly TestLayer[] = [1, 2, 3];
const NO_OPERATION = 'no_operation_of_this_name';

/**
 * The same cases for each layer that the adapter supports, and before them those that hold for every adapter.
 * @throws {@link InvalidConfigError} when there is no case, two have one name, or one could run on no layer: it would test nothing.
 */
export function adapterSuite(
  adapter: AdapterDefinition,
  options: AdapterSuiteOptions,
): readonly LayerSuite[] {
  const { cases, name = adapter.framework, bridge, layers: wanted = LAYERS, ...rest } = options;
  const layers = LAYERS.filter(
    (layer) => wanted.includes(layer) && layerProblem(adapter, layer) === undefined,
  );
  check(adapter, cases, layers);
  return layers.map((layer) => ({
    layer,
    start: () => createTestRuntime({ ...rest, layer, bridges: { [name]: { ...bridge, adapter } } }),
    cases: [...commonCases(adapter), ...cases]
      .filter((each) => each.layers?.includes(layer) ?? true)
      .map((each) => ({
        name: each.name,
        run: async (runtime) => {
          await each.run(runtime, { layer, bridge: name });
        },
      })),
  }));
}

/** What holds for every adapter. */
function commonCases(adapter: AdapterDefinition): readonly AdapterCase[] {
  return [
    {
      name: 'has every operation of its adapter',
      run: async (runtime, { bridge }) => {
        const found = (await runtime.pool(bridge).call('get_capabilities')) as {
          readonly supported_operations: readonly string[];
        };
        const missing = Object.keys(adapter.operations).filter(
          (op) => !found.supported_operations.includes(op),
        );
        assert(missing.length === 0, `${bridge} lacks ${missing.join(', ')}`);
      },
    },
    {
      name: 'answers a ping in the name of its framework',
      run: async (runtime, { bridge }) => {
        const found = (await runtime.pool(bridge).call('ping')) as Readonly<
          Record<string, unknown>
        >;
        assert(found['status'] === 'ok', `status is ${String(found['status'])}`);
        assert(typeof found['framework'] === 'object', 'it says nothing of its framework');
      },
    },
    {
      name: 'refuses an operation that it does not have',
      run: async (runtime, { bridge }) => {
        const error: unknown = await runtime
          .pool(bridge)
          .call(NO_OPERATION)
          .then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
        const code = isCaduceusError(error) ? error.code : 'no error';
        assert(code === 'unknown_operation', `unknown_operation was expected, found ${code}`);
      },
    },
  ];
}

function check(
  { framework }: AdapterDefinition,
  cases: readonly AdapterCase[],
  layers: readonly TestLayer[],
): void {
  const refuse = (problem: string): never => {
    throw new InvalidConfigError('cases', problem);
  };
  if (cases.length === 0) refuse('are none, which would test nothing');
  const names = cases.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) refuse(`${twice} is there twice`);
  const nowhere = cases.find(
    ({ layers: own = LAYERS }) => !own.some((each) => layers.includes(each)),
  );
  if (nowhere !== undefined) {
    const known = layers.join(', ') || 'none';
    refuse(`${nowhere.name} would run on no layer; adapter ${framework} runs on ${known}`);
  }
}

function assert(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}
