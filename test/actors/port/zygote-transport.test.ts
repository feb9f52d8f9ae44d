// Does a zygote get its one connection over a real socket, and nobody else?
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../../actors/ground/clock.ts';
import { encodeFrame } from '../../../actors/port/frame.ts';
import { SocketTransport } from '../../../actors/port/socket-transport.ts';
import type { LinkFact, ZygoteLane } from '../../../actors/port/transport.ts';
import { until } from '../../support/processes.ts';

const SOON_MS = 5_000;

let transport: SocketTransport;
let sockets: Socket[];
beforeEach(async () => {
  transport = await SocketTransport.listen(systemClock);
  sockets = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await transport.close();
});

async function opened(nonce: string, lane: string): Promise<Socket> {
  const socket = connect({ path: transport.address, allowHalfOpen: true });
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(encodeFrame({ type: 'lane', nonce, lane }));
  return socket;
}

function expected(nonce: string) {
  const facts: LinkFact<ZygoteLane>[] = [];
  const link = transport.expectZygote(nonce, (fact) => facts.push(fact));
  return { facts, link, types: () => facts.map(({ type }) => type) };
}

describe('the connection of a zygote', () => {
  it('is met, carries bytes both ways, and its end is told', async () => {
    const { facts, link, types } = expected('n');
    const socket = await opened('n', 'zygote');
    socket.write('hello');
    await until(() => facts.length === 2, SOON_MS);
    expect(facts[1]).toEqual({ type: 'bytes', lane: 'zygote', bytes: Buffer.from('hello') });
    link.write(Buffer.from('welcome'));
    expect(String((await once(socket, 'data'))[0])).toBe('welcome');
    socket.destroy();
    await until(() => facts.length === 3, SOON_MS);
    expect(types()).toEqual(['opened', 'bytes', 'ended']);
  });

  it('is ended from here while what comes from there is still told', async () => {
    const { facts, link } = expected('n');
    const socket = await opened('n', 'zygote');
    await until(() => facts.length === 1, SOON_MS);
    link.end();
    socket.resume();
    await once(socket, 'end');
    socket.end('last words');
    await until(() => facts.length === 3, SOON_MS);
    expect(facts[1]).toMatchObject({ type: 'bytes', bytes: Buffer.from('last words') });
  });

  it.each([
    ['a lane of a worker', 'n', 'control'],
    ['another nonce', 'm', 'zygote'],
  ])('is not given to who shows %s', async (_what, nonce, lane) => {
    const { facts } = expected('n');
    const socket = await opened(nonce, lane);
    await once(socket.resume(), 'end');
    expect(facts).toEqual([]);
  });

  it('is given once', async () => {
    const { facts, types } = expected('n');
    await opened('n', 'zygote');
    await until(() => facts.length === 1, SOON_MS);
    const second = await opened('n', 'zygote');
    await once(second.resume(), 'end');
    expect(types()).toEqual(['opened']);
  });

  it('is no lane of a worker', async () => {
    const facts: LinkFact[] = [];
    transport.expect('w', (fact) => facts.push(fact));
    const socket = await opened('w', 'zygote');
    await once(socket.resume(), 'end');
    expect(facts).toEqual([]);
  });

  it('is let go of without a word', async () => {
    const { facts, link, types } = expected('n');
    const socket = await opened('n', 'zygote');
    await until(() => facts.length === 1, SOON_MS);
    link.close();
    await once(socket.resume(), 'end');
    expect(types()).toEqual(['opened']);
  });
});
