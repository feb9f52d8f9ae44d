// What does it cost that bytes go to Python and come back, with nothing around it? With one byte it is the cost of waking each other.
import { join } from 'node:path';

import { endBare, openRendezvous, spawnBare } from './raw-process.ts';
import { benchFolder } from './stage.ts';

const HEAD_BYTES = 8;

export interface RawBytes {
  /** One at a time. */
  readonly echo: (payload: Uint8Array) => Promise<Buffer>;
  readonly stop: () => Promise<void>;
}

/** The same kind of sockets as ours, one connection each way, and no copy that one can do without. */
export async function startRawBytes(python: string, folder: string): Promise<RawBytes> {
  const rendezvous = await openRendezvous(folder, 'bytes');
  const child = spawnBare(python, [join(benchFolder(), 'raw_bytes.py'), rendezvous.address]);
  const calls = await rendezvous.next();
  const replies = await rendezvous.next();
  let answer: ((payload: Buffer) => void) | undefined;
  let large: Buffer | undefined;
  let filled = 0;
  replies.on('data', (chunk: Buffer) => {
    if (large === undefined) {
      // The head is never split: it is written together with the first bytes.
      const size = Number(chunk.readBigUInt64BE(0));
      if (chunk.length === HEAD_BYTES + size) {
        answer?.(chunk.subarray(HEAD_BYTES));
        return;
      }
      large = Buffer.allocUnsafeSlow(size);
      filled = chunk.copy(large, 0, HEAD_BYTES);
      return;
    }
    filled += chunk.copy(large, filled);
    if (filled < large.length) return;
    const whole = large;
    large = undefined;
    answer?.(whole);
  });
  return {
    echo: (payload) =>
      new Promise((resolve) => {
        answer = resolve;
        const head = Buffer.allocUnsafe(HEAD_BYTES);
        head.writeBigUInt64BE(BigInt(payload.byteLength));
        calls.cork();
        calls.write(head);
        calls.write(payload);
        calls.uncork();
      }),
    stop: async () => {
      rendezvous.close();
      for (const lane of [calls, replies]) lane.destroy();
      await endBare(child);
    },
  };
}
