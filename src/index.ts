// What does a user import? The façade of the package: names only.
export { createRuntime, type Runtime, type TreeNode } from './runtime.ts';
export type { BridgeConfig, RuntimeConfig } from './config.ts';
export type { BridgeHandle, CallOptions, WorkerView } from './bridge-handle.ts';
export type { MlBridge, MlOptions } from './ml-bridge.ts';
export {
  defineAdapter,
  type Adapter,
  type AdapterRoles,
  type Args,
  type OperationDefinition,
  type RequestTools,
} from './adapters/adapter.ts';
export { dspy, type DspyConfig, type DspyProgram } from './adapters/dspy.ts';
export type { StateChange } from '../supervisors/pool/journal.ts';
export type { PoolOptions, PoolStatistics } from '../supervisors/pool/pool.ts';
export type { RouterStatistics } from '../supervisors/pool/router-types.ts';
export type {
  Hello,
  OutputStream,
  PythonLogLevel,
  RemoteError,
  WorkerInfo,
} from '../actors/ground/worker-facts.ts';
export type { BusEventName, BusEvents, BusListener } from '../actors/ground/bus.ts';
export { formatExitReason, type ExitReason } from '../actors/ground/exit-reason.ts';
export {
  CaduceusError,
  CallAbortedError,
  CheckoutTimeoutError,
  DeadlineExceededError,
  isCaduceusError,
  OverloadedError,
  PoolFailedError,
  PythonError,
  ReplayFailedError,
  RuntimeStoppedError,
  UnencodableError,
  UnknownOperationError,
  WorkerCrashedError,
  type CrashReport,
  type ErrorCategory,
  type Outcome,
  type WorkerRef,
} from '../actors/ground/errors.ts';
export {
  BridgeStartError,
  InvalidConfigError,
  ProtocolError,
  PythonNotFoundError,
  PythonTooOldError,
  ScriptNotFoundError,
  SpawnFailedError,
} from '../actors/ground/start-errors.ts';
