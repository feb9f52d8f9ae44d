// Is what came in one of the messages that exist? `docs/protocol.md` §3, §4, §6, §7.
import { z } from 'zod';

import { LIMITS } from '../ground/limits.ts';
import { ProtocolError } from '../ground/start-errors.ts';
import { splitBatch, type OpenBatches } from './batch.ts';
import { decodeValue } from './codec.ts';
import type { ControlMessage, DataMessage, ReplyMessage } from './message.ts';
import { remoteError } from './remote-error.ts';

type Header = Readonly<Record<string, unknown>>;

/** A text for people and logs: one that is too long is cut, as an output line is. */
export const text = z.string().transform((found) => found.slice(0, LIMITS.outputLineBytesMax));

/** Judged as a whole: one finding for each item of a huge array would take more memory than there is. */
const texts = z.custom<readonly string[]>(
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  'expected an array of texts',
);

/** What is said of single operations; looked into by whoever makes types of it. */
const schemas = z.custom<Readonly<Record<string, Readonly<Record<string, unknown>>>>>(
  (value) => isObject(value) && Object.values(value).every((schema: unknown) => isObject(schema)),
  'expected an object of objects',
);

/** What every process of ours says first. */
export const helloSchema = z.object({
  type: z.literal('hello'),
  protocol: text,
  packageVersion: text,
  python: text,
  implementation: text,
  pid: z.int(),
  gil: text,
});

const controlSchema = z.discriminatedUnion('type', [
  helloSchema,
  z.object({
    type: z.literal('ready'),
    bridge: z.string(),
    framework: z.object({
      name: z.string(),
      version: z.string(),
      capabilities: texts,
    }),
    operations: texts,
    schemas,
    schemaHash: z.string().max(LIMITS.quotedCharsMax),
    execution: z.enum(['sync', 'threads', 'asyncio']),
    concurrency: z.int().min(1),
  }),
  z.object({ type: z.literal('failed'), error: remoteError }),
  z.object({ type: z.literal('pong'), seq: z.int(), running: z.int().nullable() }),
  z.object({ type: z.literal('withdrawn'), id: z.int(), ok: z.boolean() }),
  z.object({
    type: z.literal('log'),
    level: z.enum(['debug', 'info', 'warning', 'error', 'critical']),
    logger: text,
    message: text,
    callId: z.int().nullable(),
  }),
]);

/** @throws {@link ProtocolError} naming what is wrong. */
export function parseControl(message: Header): ControlMessage {
  const parsed = controlSchema.safeParse(message);
  if (parsed.success) return parsed.data;
  throw new ProtocolError(`control lane: ${describe(message)}: ${z.prettifyError(parsed.error)}`);
}

/**
 * What came on the lane `replies`. On the hot path, hence by hand.
 * @param batches which of the calls that may be answered are batches.
 * @throws {@link ProtocolError} naming what is wrong.
 */
export function parseData(
  message: Header,
  segments: readonly Buffer[],
  batches?: OpenBatches,
): DataMessage {
  const { type, id } = message;
  if (typeof id !== 'number') throw notData(message);
  switch (type) {
    case 'reply':
      return parseReply(message, id, segments, batches?.answered(id));
    case 'item': {
      const { seq } = message;
      if (typeof seq !== 'number') throw notData(message);
      return { type, id, seq, value: valueOf(message, 'value', segments) };
    }
    case 'progress':
      return { type, id, value: valueOf(message, 'value', segments) };
    case 'callback': {
      const { callback, name, timeoutMs = null } = message;
      if (typeof callback !== 'number' || typeof name !== 'string') throw notData(message);
      if (timeoutMs !== null && typeof timeoutMs !== 'number') throw notData(message);
      const args = valueOf(message, 'args', segments);
      return { type, id, callback, name, args, timeoutMs };
    }
    default:
      throw notData(message);
  }
}

/** Only an error reply is looked at closely. */
function parseReply(
  message: Header,
  id: number,
  segments: readonly Buffer[],
  batchSize: number | undefined,
): ReplyMessage {
  const { ok } = message;
  if (ok === true && batchSize !== undefined) {
    const { result, tagged } = message;
    const outcomes = splitBatch(result, tagged === true, segments, batchSize);
    return { type: 'reply', id, ok, result: null, outcomes };
  }
  if (ok === true) return { type: 'reply', id, ok, result: valueOf(message, 'result', segments) };
  if (ok !== false) throw notData(message);
  const error = remoteError.safeParse(message['error']);
  if (error.success) return { type: 'reply', id, ok, error: error.data };
  throw new ProtocolError(`replies lane: error of reply ${id}: ${z.prettifyError(error.error)}`);
}

function valueOf(message: Header, field: string, segments: readonly Buffer[]): unknown {
  return decodeValue(message[field], message['tagged'] === true, segments);
}

function notData(message: Header): ProtocolError {
  return new ProtocolError(
    `replies lane: ${describe(message)} is no reply, item, progress or callback`,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Short whatever was sent, and never by way of JSON for more than a text: what is nested without end would exhaust the stack. */
function describe({ type }: Header): string {
  if (typeof type !== 'string') return 'message whose type is no text';
  return `message of type ${JSON.stringify(type.slice(0, LIMITS.quotedCharsMax))}`;
}
