// Which messages exist, and is this one of them? `docs/protocol.md` §3, §4, §6.
import { z } from 'zod';

import { LIMITS } from '../ground/limits.ts';
import { ProtocolError } from '../ground/start-errors.ts';
import type { Hello, PythonLogLevel, RemoteError, WorkerInfo } from '../ground/worker-facts.ts';

/** The protocol that this side speaks. Equal major versions work together. */
export const PROTOCOL_VERSION = '2.0';

/** Where the worker finds its bridge: an importable module, or a file. */
export interface BridgeSource {
  readonly framework: string;
  readonly module?: string | undefined;
  readonly script?: string | undefined;
  readonly class?: string | undefined;
  readonly requiredPackages?: readonly string[] | undefined;
}

export interface WelcomeMessage {
  readonly type: 'welcome';
  readonly protocol: string;
  readonly workerId: string;
  readonly epoch: number;
  readonly mode: 'pool-worker';
  readonly frameBytesMax: number;
  readonly scratchDir: string;
  readonly bridge: BridgeSource;
}

export interface CallMessage {
  readonly type: 'call';
  readonly id: number;
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly session: string | null;
  /** What remains of the caller's time, in milliseconds, when the frame is written. */
  readonly deadlineMs: number;
}

export type ReplyMessage =
  | { readonly type: 'reply'; readonly id: number; readonly ok: true; readonly result: unknown }
  | {
      readonly type: 'reply';
      readonly id: number;
      readonly ok: false;
      readonly error: RemoteError;
    };

export interface LogMessage {
  readonly type: 'log';
  readonly level: PythonLogLevel;
  readonly logger: string;
  readonly message: string;
  readonly callId: number | null;
}

export type ControlMessage =
  | ({ readonly type: 'hello' } & Hello)
  | ({ readonly type: 'ready' } & WorkerInfo)
  | { readonly type: 'failed'; readonly error: RemoteError }
  | LogMessage;

const CAUSES_MAX = 8;

/** Built to its depth, since a worker could nest causes until a recursive check exhausts the stack. */
function remoteErrorSchema(causesMax: number): z.ZodType<RemoteError> {
  return z.object({
    type: z.string(),
    message: z.string(),
    traceback: z.string(),
    code: z.string(),
    cause: causesMax === 0 ? z.undefined().optional() : remoteErrorSchema(causesMax - 1).optional(),
  });
}

const remoteError = remoteErrorSchema(CAUSES_MAX);

/** A text for people and logs: one that is too long is cut, as an output line is. */
const text = z.string().transform((found) => found.slice(0, LIMITS.outputLineBytesMax));

/** Judged as a whole: one finding for each item of a huge array would take more memory than there is. */
const texts = z.custom<readonly string[]>(
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  'expected an array of texts',
);

const controlSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    protocol: text,
    packageVersion: text,
    python: text,
    implementation: text,
    pid: z.int(),
    gil: text,
  }),
  z.object({
    type: z.literal('ready'),
    bridge: z.string(),
    framework: z.object({
      name: z.string(),
      version: z.string(),
      capabilities: texts,
    }),
    operations: texts,
  }),
  z.object({ type: z.literal('failed'), error: remoteError }),
  z.object({
    type: z.literal('log'),
    level: z.enum(['debug', 'info', 'warning', 'error', 'critical']),
    logger: text,
    message: text,
    callId: z.int().nullable(),
  }),
]);

/** @throws {@link ProtocolError} naming what is wrong. */
export function parseControl(message: Record<string, unknown>): ControlMessage {
  const parsed = controlSchema.safeParse(message);
  if (parsed.success) return parsed.data;
  throw new ProtocolError(`control lane: ${describe(message)}: ${z.prettifyError(parsed.error)}`);
}

/**
 * On the hot path, hence by hand; only an error reply is looked at closely.
 * @throws {@link ProtocolError} naming what is wrong.
 */
export function parseReply(message: Record<string, unknown>): ReplyMessage {
  const { type, id, ok } = message;
  if (type !== 'reply' || typeof id !== 'number' || typeof ok !== 'boolean') {
    throw new ProtocolError(`replies lane: ${describe(message)} is no reply`);
  }
  if (ok) return { type, id, ok, result: message['result'] };
  const error = remoteError.safeParse(message['error']);
  if (error.success) return { type, id, ok, error: error.data };
  throw new ProtocolError(`replies lane: error of reply ${id}: ${z.prettifyError(error.error)}`);
}

/** Short whatever was sent, and never by way of JSON for more than a text: what is nested without end would exhaust the stack. */
function describe({ type }: Record<string, unknown>): string {
  if (typeof type !== 'string') return 'message whose type is no text';
  return `message of type ${JSON.stringify(type.slice(0, LIMITS.quotedCharsMax))}`;
}
