// What may tests and demos use? The local model, and runtimes that stand on mocks.
export type { LocalModelClock } from './local-model/connection.ts';
export { LocalModelError, type LocalModelErrorCode } from './local-model/errors.ts';
export type { Fault, FaultEffect } from './local-model/faults.ts';
export { LOCAL_MODEL_LIMITS } from './local-model/limits.ts';
export type { RecordedRequest, RequestFilter } from './local-model/request-log.ts';
export {
  startLocalModel,
  type LocalModel,
  type LocalModelOptions,
  type NextRequestOptions,
} from './local-model/server.ts';
export {
  adapterSuite,
  type AdapterCase,
  type AdapterSuiteOptions,
  type CaseContext,
  type LayerSuite,
} from './adapter-suite.ts';
export type { Misbehaviour, MisbehaveWhen } from './layers/misbehaviour.ts';
export {
  createTestRuntime,
  misbehave,
  TestLayerError,
  type TestRuntimeConfig,
} from './layers/test-runtime.ts';
