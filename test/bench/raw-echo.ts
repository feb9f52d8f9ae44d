// What does an echo cost with nothing around it? Bare Node and bare Python over our wire: same socket, same frames, same JSON, coalesced.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export async function startRawEcho(python: string, script: string, address: string) {
  const server = createServer().listen(address);
  const child = spawn(python, [script, address], { stdio: ['ignore', 'inherit', 'inherit'] });
  const lanes = new Map<string, Socket>();
  await new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      socket.once('data', (lane: Buffer) => {
        if (lanes.set(lane.toString(), socket).size === 2) resolve();
      });
    });
  });
  const calls = lanes.get('c')!;
  const pending = new Map<number, (result: unknown) => void>();
  let lastId = 0;
  let unsent: Buffer[] = [];
  let buffered: Buffer = Buffer.alloc(0);
  const flush = () => {
    calls.write(unsent.length === 1 ? unsent[0]! : Buffer.concat(unsent));
    unsent = [];
  };
  lanes.get('r')!.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    let offset = 0;
    while (buffered.length >= offset + 8) {
      const end = offset + 8 + buffered.readUInt32BE(offset);
      if (buffered.length < end) break;
      const reply = JSON.parse(buffered.toString('utf8', offset + 8, end)) as { id: number };
      pending.get(reply.id)?.((reply as { result?: unknown }).result);
      pending.delete(reply.id);
      offset = end;
    }
    buffered = buffered.subarray(offset);
  });
  const call = (op: string, args: object, session: string): Promise<unknown> => {
    const id = (lastId += 1);
    const json = JSON.stringify({ type: 'call', id, op, args, session, deadlineMs: 30_000 });
    const bytes = Buffer.byteLength(json);
    const frame = Buffer.allocUnsafe(8 + bytes);
    frame.writeUInt32BE(bytes, 0);
    frame.writeUInt32BE(bytes, 4);
    frame.write(json, 8);
    if (unsent.push(frame) === 1) process.nextTick(flush);
    return new Promise((resolve) => pending.set(id, resolve));
  };
  const stop = async () => {
    server.close();
    for (const socket of lanes.values()) socket.destroy();
    await once(child, 'exit');
  };
  return { call, stop };
}
