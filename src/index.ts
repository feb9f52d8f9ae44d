// What does a user import? The façade of the package: names only.
export { createRuntime, type Runtime, type RuntimeOf, type TreeNode } from './runtime.ts';
export { python, type PythonFile, type PythonOptions } from './python.ts';
export type { BridgeConfig, Bridges, RuntimeConfig } from './config.ts';
export type { BridgeInfo, BridgeRegistry, KnownAdapters } from './bridge-registry.ts';
export type { BridgeProblem, BridgeReport } from './registry/bridge-report.ts';
export {
  defineConfig,
  loadConfig,
  type BridgeInput,
  type ConfigInput,
  type LoadOptions,
} from './config-file.ts';
export type { BridgeHandle, OrderOptions, WorkerView } from './bridge-handle.ts';
export type { CallOptions } from './calls/call-options.ts';
export type { CheckedOutWorker, CheckoutOptions, HeldCallOptions } from './checked-out-worker.ts';
export type { MlBridge, MlOptions } from './ml-bridge.ts';
export {
  defineAdapter,
  type Adapter,
  type AdapterCalls,
  type AdapterDefinition,
  type AdapterRoles,
  type RequestTools,
  type TestCapabilities,
  type TestLayer,
} from './adapters/adapter.ts';
export type {
  Args,
  ArgsOf,
  CamelCase,
  ItemOf,
  MockContext,
  OperationDefinition,
  OperationMethods,
  Operations,
  ResultOf,
} from './adapters/operation.ts';
export type { BoundAdapter, BoundOf } from './adapters/bound-adapter.ts';
export type { StandardSchema } from './adapters/standard-schema.ts';
export type { ZygoteOption } from './adapters/zygote-option.ts';
export {
  dspy,
  type DspyConfig,
  type DspyDump,
  type DspyEvaluated,
  type DspyEvaluateOptions,
  type DspyExecuted,
  type DspyMethods,
  type DspyMetric,
  type DspyOperations,
  type DspyOptimized,
  type DspyOptimizeOptions,
  type DspyProgram,
  type DspyStreamItem,
} from './adapters/dspy.ts';
export {
  langchain,
  type LangchainAgent,
  type LangchainAgentInput,
  type LangchainChain,
  type LangchainChainOptions,
  type LangchainConfig,
  type LangchainRunOptions,
  type LangchainStep,
  type LangchainThreadOptions,
} from './adapters/langchain.ts';
export {
  sklearn,
  type SklearnMatrix,
  type SklearnModel,
  type SklearnTargets,
  type SklearnValues,
} from './adapters/sklearn.ts';
export {
  transformers,
  type TransformersMethods,
  type TransformersOptions,
} from './adapters/transformers.ts';
export type {
  TransformersEmbedding,
  TransformersLabelling,
  TransformersLabels,
  TransformersMessage,
  TransformersModel,
  TransformersPiece,
  TransformersSampling,
} from './adapters/transformers-schemas.ts';
export type { StateChange } from '../supervisors/pool/journal.ts';
export type { PoolStatistics } from '../supervisors/pool/pool.ts';
export type {
  Affinity,
  AutoscaleOptions,
  BreakerOptions,
  PoolOptions,
  QuarantineOptions,
  RetryBudgetOptions,
  SessionOptions,
} from '../supervisors/pool/pool-options.ts';
export type { ProcessLimits } from '../actors/port/message.ts';
export type { ResourceLimits, WorkerUsage } from '../actors/worker/resources.ts';
export { NdArray, type Dtype } from '../actors/port/nd-array.ts';
export type { Callback, CallbackContext, Callbacks } from './calls/callbacks.ts';
export { currentCall, currentTrace, withTrace, type CurrentCall } from './calls/call-context.ts';
export type { CallStream } from './calls/call-stream.ts';
export type { RouterStatistics } from '../supervisors/pool/router-types.ts';
export type {
  Hello,
  OutputStream,
  PythonLogLevel,
  RemoteError,
  Trace,
  WorkerInfo,
} from '../actors/ground/worker-facts.ts';
export type { BusEventName, BusEvents, BusListener } from '../actors/ground/bus.ts';
export { formatExitReason, type ExitReason } from '../actors/ground/exit-reason.ts';
export {
  CaduceusError,
  CallAbortedError,
  Cancellation,
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
  UnsupportedError,
  WorkerCrashedError,
  type CancelStage,
  type CrashReport,
  type ErrorCategory,
  type Outcome,
  type WorkerRef,
} from '../actors/ground/errors.ts';
export {
  AmbiguousIdError,
  InvalidArgumentsError,
  InvalidResultError,
  BridgeRegistryError,
} from '../actors/ground/bridge-errors.ts';
export {
  BridgeStartError,
  InvalidConfigError,
  ProtocolError,
  PythonNotFoundError,
  PythonTooOldError,
  ScriptNotFoundError,
  SpawnFailedError,
} from '../actors/ground/start-errors.ts';
export { secret, type Secrets } from './secrets.ts';
export type { Secret } from './adapters/secret-mark.ts';
export { keyvStore, type KeyvLike } from './stores/keyv-store.ts';
export { sqliteStore, type SqliteStore } from './stores/sqlite-store.ts';
export type { SavedChange, SavedEntry, SavedScope, SessionStore } from './stores/session-store.ts';
