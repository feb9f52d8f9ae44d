// Which messages exist? `docs/protocol.md` §3, §4, §6, §7. Types only; `parse-message.ts` looks at what comes in.
import type {
  Hello,
  PythonLogLevel,
  RemoteError,
  Trace,
  WorkerInfo,
} from '../ground/worker-facts.ts';
import type { BatchOutcome } from './batch.ts';
import type { EncodedValue } from './codec.ts';

/** The protocol that this side speaks. Equal major versions work together, by the lower of the two minors. */
export const PROTOCOL_VERSION = '2.2';

/** Where the worker finds its bridge: an importable module, or a file. */
export interface BridgeSource {
  readonly framework: string;
  readonly module?: string | undefined;
  readonly script?: string | undefined;
  readonly class?: string | undefined;
  readonly requiredPackages?: readonly string[] | undefined;
}

/** What the kernel holds a worker to; each is optional (`docs/protocol.md` §3). */
export interface ProcessLimits {
  /** Open files at a time, the worker's own five connections among them. */
  readonly openFilesMax?: number | undefined;
  /** CPU time of the whole process, in ms; the kernel counts whole seconds. Beyond it: SIGXCPU. */
  readonly cpuMsMax?: number | undefined;
  /** Virtual memory in bytes. Torch and CUDA reserve far more than they use. Beyond it: `MemoryError`. */
  readonly addressSpaceBytesMax?: number | undefined;
}

export interface WelcomeMessage {
  readonly type: 'welcome';
  readonly protocol: string;
  readonly workerId: string;
  readonly epoch: number;
  readonly mode: 'pool-worker';
  readonly frameBytesMax: number;
  readonly scratchDir: string;
  readonly concurrency?: number | undefined;
  readonly limits?: ProcessLimits | undefined;
  readonly bridge: BridgeSource;
}

/** One call, as it is written under a number of its own: its arguments are encoded already, so that what cannot be sent was refused before. */
export interface CallMessage {
  readonly op: string;
  readonly args: EncodedValue;
  readonly session: string | null;
  /** What remains of the caller's time, in milliseconds, when the frame is written. */
  readonly deadlineMs: number;
  /** Present: the values of a generator are asked for one by one, this many before the first credit. */
  readonly stream?: { readonly credit: number } | undefined;
  /** Present: made from inside a callback of that call, and run by the thread that waits for it. */
  readonly nested?: { readonly parent: number; readonly callback: number } | undefined;
  readonly trace?: Trace | undefined;
  /** Present: it stands for so many calls, whose arguments `combineCalls` has put together. */
  readonly batch?: number | undefined;
}

export type ReplyMessage =
  | {
      readonly type: 'reply';
      readonly id: number;
      readonly ok: true;
      readonly result: unknown;
      /** Present for a batch, in the place of the result: one for each of its calls. */
      readonly outcomes?: readonly BatchOutcome[];
    }
  | {
      readonly type: 'reply';
      readonly id: number;
      readonly ok: false;
      readonly error: RemoteError;
    };

interface ItemMessage {
  readonly type: 'item';
  readonly id: number;
  readonly seq: number;
  readonly value: unknown;
}

interface ProgressMessage {
  readonly type: 'progress';
  readonly id: number;
  readonly value: unknown;
}

/** Python asks for a function of ours, on behalf of call `id`. */
export interface CallbackMessage {
  readonly type: 'callback';
  readonly id: number;
  readonly callback: number;
  readonly name: string;
  readonly args: unknown;
  /** How long Python waits, in ms; null: as long as the call has. */
  readonly timeoutMs: number | null;
}

/** What comes on the lane `replies`. */
export type DataMessage = ReplyMessage | ItemMessage | ProgressMessage | CallbackMessage;

/** The answer to a callback. */
export type CallbackAnswer =
  | { readonly callback: number; readonly ok: true; readonly value: EncodedValue }
  | { readonly callback: number; readonly ok: false; readonly error: RemoteError };

export interface LogMessage {
  readonly type: 'log';
  readonly level: PythonLogLevel;
  readonly logger: string;
  readonly message: string;
  readonly callId: number | null;
}

/** What comes on the lane `control`. */
export type ControlMessage =
  | ({ readonly type: 'hello' } & Hello)
  | ({ readonly type: 'ready' } & WorkerInfo)
  | { readonly type: 'failed'; readonly error: RemoteError }
  | { readonly type: 'pong'; readonly seq: number; readonly running: number | null }
  | { readonly type: 'withdrawn'; readonly id: number; readonly ok: boolean }
  | LogMessage;

/** What Node says on the lane `control` to a worker that is up. */
export type ControlOrder =
  | { readonly type: 'ping'; readonly seq: number }
  | { readonly type: 'credit'; readonly id: number; readonly n: number }
  | { readonly type: 'cancel'; readonly id: number; readonly stage: 'flag' | 'raise' }
  | { readonly type: 'withdraw'; readonly id: number }
  | { readonly type: 'shutdown' };
