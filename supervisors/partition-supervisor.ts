// How is one child that is a bottleneck made many, with each key always at the same one? Elixir's PartitionSupervisor.
import { CaduceusError } from '../actors/ground/errors.ts';
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { lifecycleStart, type LifecycleStart } from '../actors/lifecycle/child.ts';
import { isActorName, nameText } from '../actors/lifecycle/names.ts';
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import { isWholeFrom } from './check-spec.ts';
import type { ChildSpec } from './child-spec.ts';
import { whereis, type InSystem, type Target } from './messages.ts';
import { partitionFor, type PartitionKey } from './partition-key.ts';
import { checkPartitionOptions, type PartitionSupervisorOptions } from './partition-options.ts';
import { startRoot, type StartOptions } from './start-supervisor.ts';
import { SupervisorError } from './supervision-errors.ts';
import type { FullSupervisorFlags } from './supervisor-flags.ts';
import { BaseHandle, exitOf } from './supervisor-handle.ts';
import type { ChildEntry } from './supervisor-view.ts';
import { Supervisor } from './supervisor.ts';
import { defaultSystem } from './system.ts';

/** One partition, as `whichChildren` lists it. */
export interface PartitionEntry extends ChildEntry {
  /** Its number, from 0. */
  readonly partition: number;
}

/** There is no such number of partitions, or there are none now. */
export class PartitionError extends CaduceusError {
  readonly code: 'invalid_partitions' | 'no_partitions';
  readonly category = 'configuration_error';

  constructor(code: PartitionError['code'], supervisor: string, problem: string) {
    super(`partition supervisor ${supervisor}: ${problem}`);
    this.code = code;
  }
}

/** How many partitions there are at present: those from 0 up. */
interface Partitions {
  readonly initial: number;
  current: number;
  /** Settles, whatever came of it, when the resizing that was asked for last is done. */
  resized: Promise<unknown>;
}

/** By the flags, which each supervisor has of its own, from before its first child starts. */
const PARTITIONS = new WeakMap<FullSupervisorFlags, Partitions>();

/** A supervisor of many children of one kind. Made by {@link startPartitionSupervisor}. */
export class PartitionSupervisorHandle extends BaseHandle {
  readonly #partitions: Partitions;

  /** @internal */
  constructor(supervisor: Supervisor, partitions: Partitions, exited: Promise<ExitReason>) {
    super(supervisor, supervisor.flags, exited);
    this.#partitions = partitions;
  }

  /** How many partitions there are at present. @throws {@link SupervisorError} `noproc`. */
  partitions(): number {
    this.#checkAlive('partitions');
    return this.#partitions.current;
  }

  /**
   * Where `key` belongs: always the same partition, as long as their number is the same.
   *
   * @returns the present incarnation of that partition.
   * @throws {@link PartitionError} `no_partitions` when there are none now; {@link SupervisorError} `noproc` while that partition is not up.
   */
  partitionOf(key: PartitionKey): ActorRef {
    this.#checkAlive('partitionOf');
    const { current } = this.#partitions;
    if (current === 0) {
      throw new PartitionError('no_partitions', this.ref.path, 'it has zero partitions');
    }
    const id = String(partitionFor(key, current));
    const ref = this.children().find((child) => child.id === id)?.ref;
    if (ref === undefined || ref.exitReason !== undefined) throw this.#noproc('partitionOf', id);
    return ref;
  }

  /**
   * Change how many partitions there are: those above are stopped, and started again when they are wanted. Resizings take their turns.
   *
   * @param partitions from 0 to the number with which the supervisor started.
   * @returns how many there were before.
   * @throws {@link PartitionError} `invalid_partitions`; `noproc`; `failed_to_start_child`, then there are as many as could be started.
   */
  resize(partitions: number): Promise<number> {
    const turn = this.#partitions.resized.then(() => this.#resize(partitions));
    this.#partitions.resized = turn.catch(() => undefined);
    return turn;
  }

  /** The partitions, from 0 up, those that are stopped included. */
  override async whichChildren(): Promise<readonly PartitionEntry[]> {
    const entries = await super.whichChildren();
    return entries.map((entry) => ({ ...entry, partition: Number(entry.id) })).reverse();
  }

  async #resize(wanted: number): Promise<number> {
    const partitions = this.#partitions;
    const { initial, current } = partitions;
    this.#checkAlive('resize');
    if (!isWholeFrom(wanted, 0) || wanted > initial) {
      const problem = `from 0 to ${initial} partitions are possible, asked for ${String(wanted)}`;
      throw new PartitionError('invalid_partitions', this.ref.path, problem);
    }
    // Nobody may be sent to a partition that is not there: fewer are told before they stop, more when they have started.
    partitions.current = Math.min(current, wanted);
    for (let index = wanted; index < current; index += 1) {
      await this.ask({ op: 'terminateChild', child: String(index) });
    }
    for (let index = current; index < wanted; index += 1) {
      await this.#startPartition(String(index));
      partitions.current = index + 1;
    }
    return current;
  }

  async #startPartition(child: string): Promise<void> {
    try {
      await this.ask({ op: 'restartChild', child });
    } catch (error) {
      // A group restart starts again what was stopped, and so it may be up already.
      const isUp = error instanceof SupervisorError && error.code === 'running';
      if (!isUp) throw error;
    }
  }

  #checkAlive(op: string): void {
    if (this.ref.exitReason !== undefined) throw this.#noproc(op);
  }

  #noproc(op: string, child?: string): SupervisorError {
    return new SupervisorError('noproc', this.ref.path, { op, child });
  }
}

/**
 * Start a partition supervisor and its partitions, in order.
 *
 * @returns its handle.
 * @throws `BadSupervisorFlagsError`, `BadChildSpecError`; then as `startSupervisor`.
 */
export async function startPartitionSupervisor(
  options: PartitionSupervisorOptions,
  { system = defaultSystem() }: StartOptions = {},
): Promise<PartitionSupervisorHandle> {
  const flags = checkPartitionOptions(options);
  const partitions = notePartitions(flags);
  const { supervisor, exited } = await startRoot(flags, system);
  return new PartitionSupervisorHandle(supervisor, partitions, exited);
}

/**
 * A partition supervisor as a child: the `start` of a child specification. Its handle is found by its name.
 *
 * @param options as for {@link startPartitionSupervisor}; checked at once.
 * @throws `BadSupervisorFlagsError`, `BadChildSpecError`.
 */
export function partitionSupervisor(options: PartitionSupervisorOptions): LifecycleStart {
  const flags = checkPartitionOptions(options);
  const make: LifecycleStart['make'] = (ports) => (order) => {
    const own = { ...flags };
    notePartitions(own);
    return new Supervisor(order, own, ports);
  };
  return lifecycleStart('supervisor', make, flags);
}

/** Its child specification: the name is the id. */
partitionSupervisor.childSpec = (options: PartitionSupervisorOptions): ChildSpec => {
  const start = partitionSupervisor(options);
  return { id: nameText(options.name), start, type: 'supervisor' };
};

/**
 * The handle of a living partition supervisor, wherever it stands in a tree. It is of this incarnation.
 *
 * @param found its name, or its reference.
 * @throws {@link SupervisorError} `noproc` for what is no living partition supervisor.
 */
export function partitionSupervisorOf(
  found: Target,
  options: InSystem = {},
): PartitionSupervisorHandle {
  const ref = whereis(found, options);
  const supervisor =
    ref === undefined || ref.exitReason !== undefined ? undefined : Supervisor.of(ref);
  const partitions = supervisor === undefined ? undefined : PARTITIONS.get(supervisor.flags);
  if (ref === undefined || supervisor === undefined || partitions === undefined) {
    const label = isActorName(found) ? nameText(found) : found.path;
    throw new SupervisorError('noproc', label, { op: 'partitionSupervisorOf' });
  }
  return new PartitionSupervisorHandle(supervisor, partitions, exitOf(ref));
}

/**
 * Where `key` belongs in the partition supervisor of that name: Elixir's `{:via, PartitionSupervisor, {name, key}}`.
 *
 * @throws as {@link partitionSupervisorOf} and {@link PartitionSupervisorHandle.partitionOf}.
 */
export function partitionOf(
  found: Target | PartitionSupervisorHandle,
  key: PartitionKey,
  options: InSystem = {},
): ActorRef {
  const handle =
    found instanceof PartitionSupervisorHandle ? found : partitionSupervisorOf(found, options);
  return handle.partitionOf(key);
}

function notePartitions(flags: FullSupervisorFlags): Partitions {
  const initial = flags.children.length;
  const partitions = { initial, current: initial, resized: Promise.resolve() };
  PARTITIONS.set(flags, partitions);
  return partitions;
}
