// How does a program start a supervisor of its own? As the floor below does, with a log.
import type { Logger } from 'pino';

import * as below from '../supervisors/start-supervisor.ts';
import * as dynamic from '../supervisors/dynamic-supervisor.ts';
import type { PartitionSupervisorOptions } from '../supervisors/partition-options.ts';
import * as partitions from '../supervisors/partition-supervisor.ts';
import type { SupervisorFlags } from '../supervisors/supervisor-flags.ts';
import type { SupervisorHandle } from '../supervisors/supervisor-handle.ts';
import { defaultSystem } from '../supervisors/system.ts';
import * as tasks from '../supervisors/task-supervisor.ts';
import { logFromNowOn } from './telemetry/system-log.ts';

/** How a supervisor at the top of a tree is started: in which system, and with which log. */
export interface StartOptions extends below.StartOptions {
  /**
   * Where its system logs to from now on; `false`: nowhere. Default of the system of this process: warnings and errors, as JSON lines on stderr (`CADUCEUS_LOG_LEVEL` changes
   * the level); of another system: what `logTo` said, else nowhere.
   */
  readonly logger?: Logger | false;
}

/**
 * Start a supervisor and its children, in order. It has started when the last child has.
 *
 * @param flags its flags and children, or an init function that gives them.
 * @returns its handle; `'ignore'` when the init function said so.
 * @throws `BadSupervisorFlagsError`, `BadChildSpecError` and `BadReturnError` before anything is started; `StartChildError` when a child did not start: those before it are
 *   stopped again, in reverse order; a `SupervisorError` with `already_started` when the name is taken. What an init function throws is thrown on.
 */
export async function startSupervisor(
  flags: below.SupervisorInit,
  options?: StartOptions,
): Promise<SupervisorHandle | 'ignore'>;
export async function startSupervisor(
  flags: SupervisorFlags,
  options?: StartOptions,
): Promise<SupervisorHandle>;
export async function startSupervisor(
  flags: SupervisorFlags | below.SupervisorInit,
  options: StartOptions = {},
): Promise<SupervisorHandle | 'ignore'> {
  return below.startSupervisor(flags as below.SupervisorInit, withLog(options));
}

/**
 * Start a dynamic supervisor: Elixir's, for children that come and go.
 *
 * @param given its options, or an init function that gives them.
 * @returns its handle; `'ignore'` when the init function said so.
 * @throws `BadSupervisorFlagsError`, `BadReturnError`; a `SupervisorError` with `already_started` when the name is taken. What an init function throws is thrown on.
 */
export async function startDynamicSupervisor(
  given: dynamic.DynamicSupervisorInit,
  options?: StartOptions,
): Promise<dynamic.DynamicSupervisorHandle | 'ignore'>;
export async function startDynamicSupervisor(
  given?: dynamic.DynamicSupervisorOptions,
  options?: StartOptions,
): Promise<dynamic.DynamicSupervisorHandle>;
export async function startDynamicSupervisor(
  given: dynamic.DynamicSupervisorOptions | dynamic.DynamicSupervisorInit = {},
  options: StartOptions = {},
): Promise<dynamic.DynamicSupervisorHandle | 'ignore'> {
  return dynamic.startDynamicSupervisor(given as dynamic.DynamicSupervisorInit, withLog(options));
}

/**
 * Start a partition supervisor and its partitions, in order.
 *
 * @returns its handle.
 * @throws `BadSupervisorFlagsError`, `BadChildSpecError`; then as {@link startSupervisor}.
 */
export async function startPartitionSupervisor(
  given: PartitionSupervisorOptions,
  options: StartOptions = {},
): Promise<partitions.PartitionSupervisorHandle> {
  return partitions.startPartitionSupervisor(given, withLog(options));
}

/**
 * Start a task supervisor.
 *
 * @returns its handle.
 * @throws `BadSupervisorFlagsError`, `BadChildSpecError` (`shutdown`); a `SupervisorError` with `already_started` when the name is taken.
 */
export async function startTaskSupervisor(
  given: tasks.TaskSupervisorOptions = {},
  options: StartOptions = {},
): Promise<tasks.TaskSupervisorHandle> {
  return tasks.startTaskSupervisor(given, withLog(options));
}

function withLog({ logger, ...options }: StartOptions): below.StartOptions {
  logFromNowOn(options.system ?? defaultSystem(), logger);
  return options;
}
