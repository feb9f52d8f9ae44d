// What is a running runtime made of, and in which order does it come up and end?
import { Bus } from '../actors/ground/bus.ts';
import { systemClock } from '../actors/ground/clock.ts';
import { SHUTDOWN, type ExitReason } from '../actors/ground/exit-reason.ts';
import { systemIds } from '../actors/ground/ids.ts';
import { systemRandom } from '../actors/ground/random.ts';
import type { LifePorts } from '../actors/lifecycle/child.ts';
import { Names } from '../actors/lifecycle/names.ts';
import { checkFlags } from '../supervisors/supervisor-flags.ts';
import { Supervisor } from '../supervisors/supervisor.ts';
import { builtInAdapters } from './adapters/built-in.ts';
import { BridgeTable, planBridge, type BridgeRow, type PlannedBridge } from './bridges.ts';
import { checkBridge, checkConfig, type BridgeConfig, type RuntimeConfig } from './config.ts';
import type { OpenOutside, Outside } from './outside.ts';
import { BridgeRegistry } from './bridge-registry.ts';
import { validateBridge } from './registry/validate-bridge.ts';
import { ScopeDesk } from './stores/scope-desk.ts';
import { defaultLogger, logEvents } from './telemetry/log.ts';

/** Made and ended together. */
export interface RuntimeParts {
  readonly bus: Bus;
  readonly root: Supervisor;
  readonly table: BridgeTable;
  readonly registry: BridgeRegistry;
  readonly defaultBridge: string;
  readonly outside: OpenOutside;
  readonly exited: Promise<ExitReason>;
  readonly endLog: () => void;
  readonly desk: ScopeDesk | undefined;
}

/**
 * Only the registry is ever restarted by the root, since pools are temporary: it may crash with every question that it is asked, and no pool goes down with it.
 * Twenty a second are still no loop that nobody sees.
 */
const REGISTRY_RESTARTS_MAX = 100;

/** Start all of it. @throws as {@link createRuntime} says; then nothing of it is left. */
export async function startRuntime(world: Outside, config: RuntimeConfig): Promise<RuntimeParts> {
  checkConfig(config);
  const plan = (name: string, bridge: BridgeConfig, origin: BridgeRow['origin']): PlannedBridge =>
    planBridge(name, bridge, origin, { defaults: config, outside: world });
  const { bridges = {} } = config;
  const planned = Object.entries(bridges).map(([name, bridge]) => plan(name, bridge, 'configured'));
  for (const [name, adapter] of builtInAdapters()) {
    if (Object.hasOwn(bridges, name)) continue;
    planned.push(plan(name, { adapter, startup: 'lazy' }, 'built_in'));
  }
  const eager = planned.filter(startsAtOnce);
  await Promise.all(eager.map(({ launcher }) => launcher.prepare()));
  const parts = await openParts(world, config, planned);
  try {
    const awaited = parts.table.rows.filter(
      ({ config: { startup = 'await' } }) => startup === 'await',
    );
    await Promise.all(awaited.map(({ pool }) => pool.ready()));
  } catch (error) {
    await stopRuntime(parts);
    throw error;
  }
  return parts;
}

/** End all of it, in order. Bounded. */
export async function stopRuntime(parts: RuntimeParts): Promise<ExitReason> {
  for (const { pool } of parts.table.rows) pool.close();
  parts.root.stop('infinity', SHUTDOWN);
  const reason = await parts.exited;
  await parts.outside.close();
  // What was saved last is on its way to the store; bounded by the store's own limit.
  await new Promise<void>((resolve) => {
    if (parts.desk === undefined) resolve();
    else parts.desk.whenIdle(resolve);
  });
  parts.endLog();
  return reason;
}

async function openParts(
  world: Outside,
  config: RuntimeConfig,
  planned: readonly PlannedBridge[],
): Promise<RuntimeParts> {
  const bus = new Bus();
  const { logger = defaultLogger(process.env) } = config;
  const endLog = logger === false ? () => undefined : logEvents(bus, logger);
  const life = { clock: systemClock, bus, random: systemRandom, names: new Names() };
  const outside = await world.open(await guardianCommand(world, config, planned), life);
  const { spawner, host, transport, guard } = outside;
  const ports = { ...life, ids: systemIds, spawner, host, transport, guard };
  const desk = config.store && new ScopeDesk(config.store, systemClock, systemIds);
  const table = new BridgeTable({ ports, bus, outside, desk, root: () => root }, config);
  const rows = planned.map((each) => table.add(each));
  const registry = new BridgeRegistry({
    table,
    isOver: () => root.state === 'stopping' || root.state === 'stopped',
    whereis: () => root.children().find(({ id }) => id === 'registry')?.ref,
    plan: (name, bridge) => {
      checkBridge(name, bridge);
      return planBridge(name, bridge, 'configured', { defaults: config, outside: world });
    },
    validate: (name, bridge) => validateBridge(name, bridge, { python: config.python }),
  });
  const pools = rows.filter(startsAtOnce).map(({ pool }) => pool.childSpec());
  const { root, exited } = startRoot([...pools, registry.childSpec()], life);
  const defaultBridge = defaultOf(config);
  return { bus, root, table, registry, defaultBridge, outside, exited, endLog, desk };
}

type Children = Parameters<typeof checkFlags>[0]['children'];

function startRoot(
  children: Children & object,
  life: LifePorts,
): { readonly root: Supervisor; readonly exited: Promise<ExitReason> } {
  let settle: (reason: ExitReason) => void = () => undefined;
  const exited = new Promise<ExitReason>((resolve) => {
    settle = resolve;
  });
  const listener = (fact: { readonly type: string; readonly reason?: ExitReason }): void => {
    if (fact.type === 'child.stopped' && fact.reason !== undefined) settle(fact.reason);
  };
  const root = new Supervisor(
    { id: 'root', path: '', epoch: 1, listener },
    // A pool that is started again has the next epoch, not its first one once more.
    checkFlags({ children, maxRestarts: REGISTRY_RESTARTS_MAX }, { epochs: new Map() }),
    life,
  );
  return { root, exited };
}

function startsAtOnce({ config }: Pick<PlannedBridge, 'config'>): boolean {
  return config.startup !== 'lazy';
}

function defaultOf({ default: named, bridges = {} }: RuntimeConfig): string {
  const [first] = Object.keys(bridges);
  return named ?? (Object.hasOwn(bridges, 'dspy') ? 'dspy' : (first ?? 'dspy'));
}

/** The newest protocol's interpreter first: a v1 script may run on a Python that is too old for the guardian. Where no bridge has one yet, that which most would have. */
async function guardianCommand(
  world: Outside,
  { python }: RuntimeConfig,
  planned: readonly PlannedBridge[],
): Promise<string> {
  const spawns = planned.flatMap(({ launcher }) => launcher.spawn ?? []);
  const found = spawns.find(({ stdio }) => stdio !== 'wire') ?? spawns[0];
  if (found !== undefined) return found.command;
  const query = { explicit: python, env: process.env, cwd: process.cwd() };
  const interpreter = await world.findInterpreter(query).catch(() => undefined);
  return interpreter?.executable ?? 'python3';
}
