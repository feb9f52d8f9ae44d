// What do Node and a zygote say to each other? `docs/protocol.md` §9; sans I/O.
import { constants } from 'node:os';
import { z } from 'zod';

import { LIMITS } from '../ground/limits.ts';
import { ProtocolError } from '../ground/start-errors.ts';
import type { Hello, RemoteError } from '../ground/worker-facts.ts';
import { encodeFrame } from './frame.ts';
import { helloSchema, text } from './parse-message.ts';
import { remoteError } from './remote-error.ts';

/** What is done once, before the workers are forked. */
export interface ZygoteLoad {
  /** Imported: `package.module`, or `package.module:attribute` where only asking for a name loads what is behind it. */
  readonly preload: readonly string[];
  /** Distributions that the workers need, looked for. */
  readonly packages?: readonly string[] | undefined;
}

/** What Node says. */
export type ZygoteOrder =
  | ({
      readonly type: 'welcome';
      readonly protocol: string;
      readonly frameBytesMax: number;
    } & ZygoteLoad)
  | { readonly type: 'refuse'; readonly reason: string }
  | {
      readonly type: 'fork';
      /** Names the order in its answer. */
      readonly fork: number;
      /** The whole environment of the worker. */
      readonly env: Readonly<Record<string, string>>;
      /** Null: the zygote's own. */
      readonly cwd: string | null;
    }
  | { readonly type: 'ping'; readonly seq: number };

/** What a zygote says. */
export type ZygoteMessage =
  | ({ readonly type: 'hello' } & Hello)
  | ZygoteReady
  | { readonly type: 'failed'; readonly error: RemoteError }
  | ForkFact
  | { readonly type: 'pong'; readonly seq: number };

/** It has imported what it was told to. */
export interface ZygoteReady {
  readonly type: 'ready';
  readonly modules: number;
  readonly importMs: number;
  /** Why no fork of it is safe; null when one is. */
  readonly hazard: string | null;
}

/** Facts of the workers that it forks. */
export type ForkFact =
  | { readonly type: 'forked'; readonly fork: number; readonly pid: number }
  | { readonly type: 'refused'; readonly fork: number; readonly hazard: string }
  /** A forked worker has ended, and was reaped. One of the two is null. */
  | {
      readonly type: 'exited';
      readonly pid: number;
      readonly status: number | null;
      readonly signal: string | null;
    };

/** As the kernel numbers them; 1 is SIGHUP. Of two names for one number the usual one comes first. */
const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
);

const pid = z.int().min(1);
const signal = z
  .int()
  .min(1)
  .transform((number) => SIGNAL_NAMES.get(number) ?? `SIG${number}`);

const schema = z.discriminatedUnion('type', [
  helloSchema,
  z.object({
    type: z.literal('ready'),
    modules: z.int(),
    importMs: z.number(),
    hazard: text.nullable(),
  }),
  z.object({ type: z.literal('failed'), error: remoteError }),
  z.object({ type: z.literal('forked'), fork: z.int(), pid }),
  z.object({ type: z.literal('refused'), fork: z.int(), hazard: text }),
  z.object({
    type: z.literal('exited'),
    pid,
    status: z.int().nullable(),
    signal: signal.nullable(),
  }),
  z.object({ type: z.literal('pong'), seq: z.int() }),
]);

/** @throws {@link ProtocolError} naming what is wrong. */
export function parseZygote(header: Readonly<Record<string, unknown>>): ZygoteMessage {
  const parsed = schema.safeParse(header);
  if (parsed.success) return parsed.data;
  const { type } = header;
  const named = typeof type === 'string' ? ` of type ${type.slice(0, LIMITS.quotedCharsMax)}` : '';
  throw new ProtocolError(`zygote lane: message${named}: ${z.prettifyError(parsed.error)}`);
}

/** One message of Node's, as a frame. */
export function encodeOrder(order: ZygoteOrder): Buffer {
  return encodeFrame(order);
}
