// How does the ported design's own protocol look in bytes? Version 1, sans I/O; `docs/protocol.md` §10 is the law.
import { UnencodableError } from '../ground/errors.ts';
import { LIMITS } from '../ground/limits.ts';
import { ProtocolError } from '../ground/start-errors.ts';
import type { EncodedValue } from './codec.ts';
import { parseWithNonFinite } from './non-finite.ts';
import type { ReplyMessage } from './message.ts';

const PREFIX_BYTES = 4; // u32 length of the JSON behind it
const MESSAGE_BYTES_MIN = 2; // "{}"
/** JSON's white space, and the brace that an object begins with: what a message can begin with. */
const FIRST_BYTES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0x7b]);

/** What a v1 script is asked. */
export interface V1Command {
  readonly id: number;
  readonly command: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * One command as bytes. Its arguments are plain JSON: see {@link v1Args}.
 * @throws {@link UnencodableError} when it is longer than a message may be.
 */
export function encodeV1(command: V1Command): Buffer {
  const json = JSON.stringify(command);
  const bodyBytes = Buffer.byteLength(json);
  if (bodyBytes > LIMITS.frameBytesMax) {
    const found = `the call is ${bodyBytes} bytes long, a v1 message holds ${LIMITS.frameBytesMax}`;
    throw new UnencodableError('args', found);
  }
  const message = Buffer.allocUnsafe(PREFIX_BYTES + bodyBytes);
  message.writeUInt32BE(bodyBytes, 0);
  message.write(json, PREFIX_BYTES);
  return message;
}

/** What the tags of version 2 stand for, in words for the caller whose value is refused. */
const TAGGED: Readonly<Record<string, string>> = {
  nan: 'NaN',
  inf: 'Infinity',
  '-inf': '-Infinity',
  int: 'an integer that no number of JavaScript holds, or a bigint',
  date: 'a date',
  bytes: 'bytes',
  nd: 'an array of numbers',
};

/**
 * The arguments of a call as v1 has them: JSON without tags, with the session among them unless they name one themselves.
 * @throws {@link UnencodableError} with the path of the first value that JSON lacks.
 */
export function v1Args(args: EncodedValue, session: string | null): V1Command['args'] {
  const plain = args.tagged ? untagged(args.json, 'args') : args.json;
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw new UnencodableError('args', 'arguments go by name: an object is expected');
  }
  const named = plain as V1Command['args'];
  return session === null || Object.hasOwn(named, 'session_id')
    ? named
    : { ...named, session_id: session };
}

function untagged(json: unknown, path: string): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map((item, index) => untagged(item, `${path}[${index}]`));
  if (Object.hasOwn(json, '$')) return plainOf(json as Record<string, unknown>, path);
  const plain: [string, unknown][] = [];
  for (const [escaped, value] of Object.entries(json)) {
    const key = escaped.startsWith('$') ? escaped.slice(1) : escaped;
    plain.push([key, untagged(value, `${path}.${key}`)]);
  }
  // Not by assignment: a key `__proto__` is a key like any other.
  return Object.fromEntries(plain);
}

/** Two tags stand for numbers that JSON has. */
function plainOf({ $: tag, v: text }: Record<string, unknown>, path: string): number {
  // To Python 0 and -0 are equal, and JSON.stringify writes both as 0.
  if (tag === '-0') return 0;
  if (tag === 'float') return Number(text);
  throw new UnencodableError(
    path,
    `${TAGGED[String(tag)] ?? String(tag)}, which a v1 worker has no form for`,
  );
}

/** Collects chunks of any size and gives back replies. After the first error it must be thrown away: there is no resynchronisation. */
export class V1Decoder {
  readonly #messageBytesMax: number;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true });
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #wantedBytes = PREFIX_BYTES;

  constructor(messageBytesMax: number = LIMITS.frameBytesMax) {
    this.#messageBytesMax = messageBytesMax;
  }

  /**
   * Take bytes, hand over each reply that they complete, until told to stop.
   * @throws {@link ProtocolError} quoting what is no message: a length over the limit (before memory is taken), invalid UTF-8 or JSON, no reply.
   */
  feed(chunk: Buffer, take: (reply: ReplyMessage) => 'more' | 'stop'): void {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    while (this.#heldBytes >= this.#wantedBytes) {
      const bytes = this.#joined();
      const messageBytes = PREFIX_BYTES + this.#checkedBodyBytes(bytes);
      if (bytes.length < messageBytes) {
        // One byte more than the length tells most prints from a message, long before that length is there.
        this.#wantedBytes = bytes.length === PREFIX_BYTES ? PREFIX_BYTES + 1 : messageBytes;
        continue;
      }
      const reply = this.#parse(bytes.subarray(PREFIX_BYTES, messageBytes));
      this.#chunks = bytes.length > messageBytes ? [bytes.subarray(messageBytes)] : [];
      this.#heldBytes = bytes.length - messageBytes;
      this.#wantedBytes = PREFIX_BYTES;
      if (take(reply) === 'stop') return;
    }
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #checkedBodyBytes(bytes: Buffer): number {
    const bodyBytes = bytes.readUInt32BE(0);
    if (bodyBytes > this.#messageBytesMax) {
      const limit = `at most ${this.#messageBytesMax} are allowed`;
      throw notV1(`a length of ${bodyBytes} bytes, ${limit}`, bytes);
    }
    if (bodyBytes < MESSAGE_BYTES_MIN) throw notV1(`a length of ${bodyBytes} bytes`, bytes);
    const first = bytes[PREFIX_BYTES];
    if (first !== undefined && !FIRST_BYTES.has(first)) throw notV1('no JSON object', bytes);
    return bodyBytes;
  }

  #parse(body: Buffer): ReplyMessage {
    let text: string;
    try {
      text = this.#utf8.decode(body);
    } catch (cause) {
      throw notV1('invalid UTF-8', body, cause);
    }
    try {
      return replyOf(JSON.parse(text));
    } catch (cause) {
      if (cause instanceof ProtocolError) throw cause;
      const rescued = rescue(text);
      if (rescued === undefined) throw notV1('invalid JSON', body, cause);
      return rescued;
    }
  }
}

/** Python's `json` writes NaN and infinities, which JSON lacks. The message is whole all the same, so that only its call fails. */
function rescue(text: string): ReplyMessage | undefined {
  const parsed = parseWithNonFinite(text);
  if (parsed === undefined) return undefined;
  const { id } = replyOf(parsed);
  const message = 'the result holds NaN or an infinity, which JSON and hence a v1 message lacks';
  return {
    ...{ type: 'reply', id, ok: false },
    error: { type: 'ValueError', message, traceback: '', code: 'unencodable' },
  };
}

function replyOf(message: unknown): ReplyMessage {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw new ProtocolError('v1 wire: a message that is no JSON object');
  }
  const { id, success, result = null, error } = message as Readonly<Record<string, unknown>>;
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) {
    throw new ProtocolError('v1 wire: a reply whose id is no integer');
  }
  if (success === true) return { type: 'reply', id, ok: true, result };
  if (success !== false || typeof error !== 'string') {
    throw new ProtocolError(
      `v1 wire: reply ${id} is neither {"success": true, "result": …} nor {"success": false, "error": "…"}`,
    );
  }
  const {
    error_type: type,
    error_code: code,
    traceback,
  } = message as Readonly<Record<string, unknown>>;
  return {
    ...{ type: 'reply', id, ok: false },
    // The ported design's base class says no more than the message; ours does, also by hand.
    error: {
      type: textOr(type, 'Error'),
      message: error,
      traceback: textOr(traceback, ''),
      code: textOr(code, 'python_error'),
    },
  };
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}

function notV1(found: string, bytes: Buffer, cause?: unknown): ProtocolError {
  const begin = JSON.stringify(bytes.subarray(0, LIMITS.quotedCharsMax).toString('utf8'));
  return new ProtocolError(
    `v1 wire: ${found} where a message was due; it begins ${begin}. A v1 script may not print: its stdout is the wire, its stderr is free`,
    cause === undefined ? undefined : { cause },
  );
}
