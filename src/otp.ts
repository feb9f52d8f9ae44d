// What does a program import to build supervision trees of its own? The public entry `caduceus/otp`.
export { exit, type Exit } from '../actors/lifecycle/exit.ts';
export type { ExitReason } from '../actors/ground/exit-reason.ts';
export { formatExitReason } from '../actors/ground/exit-reason.ts';
export type { BusEventName, BusEvents, BusListener } from '../actors/ground/bus.ts';
export type { Clock, TimerId } from '../actors/ground/clock.ts';
export { isCaduceusError, PythonError } from '../actors/ground/errors.ts';
export type { Random } from '../actors/ground/random.ts';
export type { ActorEvent, ActorRef } from '../actors/lifecycle/ref.ts';
export type { Child, LifecycleState, LifecycleStart, Shutdown } from '../actors/lifecycle/child.ts';
export type { StartContext, Started, StartFunction } from '../actors/lifecycle/start-function.ts';
export type {
  ErrorContext,
  LintFinding,
  NextStep,
  Offender,
  SupervisorDecision,
  SupervisorProgress,
  SupervisorReport,
  Verdict,
} from '../actors/ground/supervision-facts.ts';
export type { Backoff } from '../supervisors/backoff.ts';
export type {
  ChildSpec,
  ChildType,
  FullChildSpec,
  RestartType,
} from '../supervisors/child-spec.ts';
export { checkChildSpecs } from '../supervisors/check-spec.ts';
export {
  BadChildSpecError,
  BadReturnError,
  BadSupervisorFlagsError,
  StartChildError,
  SupervisorError,
  type FlagProblem,
  type RefusalCode,
  type SpecProblem,
} from '../supervisors/supervision-errors.ts';
export type { AutoShutdown, Strategy, SupervisorFlags } from '../supervisors/supervisor-flags.ts';
export { supervisor, type SupervisorInit } from '../supervisors/start-supervisor.ts';
export {
  startDynamicSupervisor,
  startPartitionSupervisor,
  startSupervisor,
  startTaskSupervisor,
  type StartOptions,
} from './start.ts';
export { logTo } from './telemetry/system-log.ts';
export { lintTree } from '../supervisors/lint-tree.ts';
export {
  formatReason,
  formatReport,
  type ReportFormat,
  type SupervisorWord,
} from '../supervisors/report-format.ts';
export { SupervisorHandle, type StartedChild } from '../supervisors/supervisor-handle.ts';
export type {
  ChildCounts,
  ChildEntry,
  ChildView,
  SupervisorView,
} from '../supervisors/supervisor-view.ts';
export { defaultSystem, System, type SystemOptions } from '../supervisors/system.ts';
export { childSpec, type Startable } from '../supervisors/child-spec-of.ts';
export {
  dynamicSupervisor,
  DynamicSupervisorHandle,
  type DynamicChildSpec,
  type DynamicSupervisorInit,
  type DynamicSupervisorOptions,
} from '../supervisors/dynamic-supervisor.ts';
export { handleOf } from '../supervisors/handles.ts';
export { CallExitError, type CallExitCode } from '../actors/lifecycle/call-exit.ts';
export type { CallOptions, StopOptions } from '../actors/lifecycle/call.ts';
export { reply, type From } from '../actors/lifecycle/from.ts';
export type { Down, DownListener, Monitor } from '../actors/lifecycle/monitor.ts';
export type { ActorName, Via } from '../actors/lifecycle/names.ts';
export {
  Registry,
  registry,
  via,
  type RegistryOptions,
  type RegistryOwner,
} from '../actors/lifecycle/registry.ts';
export type {
  RegistryEntry,
  RegistryEvent,
  RegistryKeys,
} from '../actors/lifecycle/registry-entries.ts';
export { RegistryError, type RegistryCode } from '../actors/lifecycle/registry-error.ts';
export { self } from '../actors/lifecycle/self.ts';
export type { WorkerCallEvent } from '../actors/worker/worker-ref.ts';
export {
  call,
  cast,
  monitor,
  registryNamed,
  startRegistry,
  stop,
  whereis,
  type InSystem,
  type Target,
} from '../supervisors/messages.ts';
export { pythonWorker, type PythonWorkerOptions } from './python-worker.ts';
export type { PartitionKey } from '../supervisors/partition-key.ts';
export type { PartitionSupervisorOptions } from '../supervisors/partition-options.ts';
export {
  PartitionError,
  partitionOf,
  partitionSupervisor,
  PartitionSupervisorHandle,
  partitionSupervisorOf,
  type PartitionEntry,
} from '../supervisors/partition-supervisor.ts';
export type { TaskContext, TaskFunction } from '../supervisors/task-logic.ts';
export type {
  StreamFunction,
  StreamResult,
  TaskStreamOptions,
} from '../supervisors/task-stream-options.ts';
export {
  taskSupervisor,
  TaskSupervisorHandle,
  taskSupervisorOf,
  type AsyncOptions,
  type StartTaskOptions,
  type TaskSupervisorOptions,
} from '../supervisors/task-supervisor.ts';
export { Task, type TaskResult } from '../supervisors/task.ts';
export type { AnyActorEvent } from '../actors/lifecycle/actor-ref.ts';
