// What does an echo cost with nothing around it? Bare Node and bare Python over our wire: same socket, same frames, same JSON, coalesced.
import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export async function startRawEcho(python: string, script: string, address: string) {
  const server = createServer().listen(address);
  const child = spawn(python, [script, address], { stdio: ['ignore', 'inherit', 'inherit'] });
  const lanes: Socket[] = [];
  for await (const [socket] of on(server, 'connection') as AsyncIterable<[Socket]>) {
    if (lanes.push(socket) === 2) break;
  }
  const [calls, replies] = lanes as [Socket, Socket];
  const pending = new Map<unknown, (result: unknown) => void>();
  let lastId = 0;
  let unsent: Buffer[] = [];
  let buffered: Buffer = Buffer.alloc(0);
  const flush = () => {
    calls.write(unsent.length === 1 ? unsent[0]! : Buffer.concat(unsent));
    unsent = [];
  };
  replies.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    let offset = 0;
    while (buffered.length >= offset + 8) {
      const end = offset + 8 + buffered.readUInt32BE(offset);
      if (buffered.length < end) break;
      const reply = JSON.parse(buffered.toString('utf8', offset + 8, end)) as Record<
        string,
        unknown
      >;
      pending.get(reply['id'])?.(reply['result']);
      pending.delete(reply['id']);
      offset = end;
    }
    buffered = buffered.subarray(offset);
  });
  const call = (op: string, args: object, session: string): Promise<unknown> => {
    const id = (lastId += 1);
    const json = JSON.stringify({ type: 'call', id, op, args, session, deadlineMs: 30_000 });
    const bytes = Buffer.byteLength(json);
    const frame = Buffer.allocUnsafe(8 + bytes);
    frame.write(json, frame.writeUInt32BE(bytes, frame.writeUInt32BE(bytes, 0)));
    if (unsent.push(frame) === 1) process.nextTick(flush);
    return new Promise((resolve) => pending.set(id, resolve));
  };
  const stop = async () => {
    server.close();
    for (const lane of lanes) lane.destroy();
    await once(child, 'exit');
  };
  return { call, stop, pid: child.pid };
}
