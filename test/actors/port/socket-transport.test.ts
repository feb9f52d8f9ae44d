import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../actors/ground/limits.ts';
import { InvalidConfigError } from '../../../actors/ground/start-errors.ts';
import { encodeFrame } from '../../../actors/port/frame.ts';
import { SocketTransport } from '../../../actors/port/socket-transport.ts';
import { LANES, type Lane, type Link, type LinkFact } from '../../../actors/port/transport.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const NONCE = 'nonce-of-the-test';

let clock: VirtualClock;
let transport: SocketTransport;
let link: Link;
let facts: LinkFact[];
let look: () => void;
const sockets: Socket[] = [];

beforeEach(async () => {
  clock = new VirtualClock();
  transport = await SocketTransport.listen(clock);
  facts = [];
  look = () => undefined;
  link = transport.expect(NONCE, (fact) => {
    facts.push(fact);
    look();
  });
});

afterEach(async () => {
  link.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  await transport.close();
});

const lane = (name: string, nonce = NONCE) => encodeFrame({ type: 'lane', nonce, lane: name });

/** Connect and write, as a worker or as a stranger. */
async function dial(bytes: Buffer): Promise<Socket> {
  const socket = connect(transport.address);
  socket.on('error', () => undefined);
  sockets.push(socket);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(bytes);
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

async function until(holds: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    look = () => {
      if (holds()) resolve();
    };
    look();
  });
}

const isOf = (type: LinkFact['type'], name: Lane) => (fact: LinkFact) =>
  fact.type === type && fact.lane === name;
const bytesOf = (name: Lane) =>
  Buffer.concat(
    facts.flatMap((one) => (one.type === 'bytes' && one.lane === name ? [one.bytes] : [])),
  );

describe("a worker's connection", () => {
  it.each(LANES)('opens the %s lane', async (name) => {
    await dial(lane(name));
    await until(() => facts.length > 0);
    expect(facts).toEqual([{ type: 'opened', lane: name }]);
  });

  it('delivers its bytes in order, those behind the first frame too, and then its end', async () => {
    const socket = await dial(Buffer.concat([lane('replies'), Buffer.from('first ')]));
    await until(() => bytesOf('replies').length > 0);
    socket.end('second');
    await until(() => facts.some(isOf('ended', 'replies')));
    expect(bytesOf('replies').toString()).toBe('first second');
    expect(facts.at(-1)).toEqual({ type: 'ended', lane: 'replies' });
  });

  it('takes what Node writes to its lane', async () => {
    const socket = await dial(lane('calls'));
    await until(() => facts.some(isOf('opened', 'calls')));
    link.write('calls', Buffer.from('hi'));
    const [bytes] = await new Promise<Buffer[]>((resolve) => {
      socket.once('data', (data) => resolve([Buffer.from(data)]));
    });
    expect(bytes?.toString()).toBe('hi');
  });

  it('sends what is to go out soon together with what is written behind it', async () => {
    const socket = await dial(lane('control'));
    await until(() => facts.some(isOf('opened', 'control')));
    const first = new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(String(data))),
    );
    link.write('control', Buffer.from('welcome '), 'soon');
    link.write('control', Buffer.from('ping'));
    clock.poll();
    expect(await first).toBe('welcome ping');
  });

  it('is not held up by the greeting time once it has shown its nonce', async () => {
    await dial(lane('control'));
    await until(() => facts.length > 0);
    expect(clock.pending).toBe(0);
  });

  it('tells no fact any more when Node lets go of it', async () => {
    const socket = await dial(lane('control'));
    await until(() => facts.length > 0);
    link.close();
    await closed(socket);
    expect(facts).toEqual([{ type: 'opened', lane: 'control' }]);
  });

  it('gets nothing that is written to a lane that is not there, and nobody is hurt', () => {
    expect(() => link.write('calls', Buffer.from('x'))).not.toThrow();
  });
});

describe('a flood', () => {
  const isBytesOf = (name: Lane) => (fact: LinkFact) => isOf('bytes', name)(fact);
  const chunks = (name: Lane) => facts.filter(isBytesOf(name)).length;

  it.each(['stdout', 'stderr', 'control'] as const)(
    'on the %s lane leaves the event loop to others after each chunk',
    async (name) => {
      const [flooding, other] = [await dial(lane(name)), await dial(lane('replies'))];
      await until(() => facts.length === 2);
      flooding.write(Buffer.alloc(1 << 20, 10));
      await until(() => chunks(name) > 0);
      other.write('x');
      await until(() => chunks('replies') > 0);
      expect(chunks(name)).toBe(1);
    },
  );

  it('is delivered whole, and its end behind it, as the event loop comes round', async () => {
    const flooding = await dial(lane('stdout'));
    const flood = Buffer.from(Array.from({ length: 1 << 20 }, (_, index) => index % 251));
    flooding.end(flood);
    const turn = setInterval(() => clock.poll(), 0);
    await until(() => facts.some(isOf('ended', 'stdout')));
    clearInterval(turn);
    expect(bytesOf('stdout').equals(flood)).toBe(true);
    expect(facts.at(-1)).toEqual({ type: 'ended', lane: 'stdout' });
  });

  it('of connections that show no nonce is held to what honest workers could need', async () => {
    const strangers: Socket[] = [];
    for (const _lane of LANES) strangers.push(await dial(Buffer.alloc(0)));
    while (clock.pending < LANES.length) await new Promise((resolve) => setImmediate(resolve));
    await dial(lane('control'));
    await until(() => facts.length > 0);
    await closed(strangers[0]!);
    expect(facts).toEqual([{ type: 'opened', lane: 'control' }]);
    expect(clock.pending).toBe(LANES.length - 1);
  });
});

describe('a stranger is closed and changes nothing', () => {
  const long = encodeFrame({
    type: 'lane',
    nonce: NONCE,
    lane: 'x'.repeat(LIMITS.laneFrameBytesMax),
  });

  it.each([
    ['with a wrong nonce', lane('control', 'wrong')],
    ['with an empty nonce', lane('control', '')],
    [
      'with a nonce that is no text',
      encodeFrame({ type: 'lane', nonce: [NONCE], lane: 'control' }),
    ],
    ['with an unknown lane', lane('secret')],
    ['with another message', encodeFrame({ type: 'hello', nonce: NONCE, lane: 'control' })],
    ['whose first frame is too long', long],
    ['that writes garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('%s', async (_what, bytes) => {
    await closed(await dial(bytes));
    expect(facts).toEqual([]);
  });

  it('when it takes a lane that is taken, while the first keeps it', async () => {
    const first = await dial(lane('replies'));
    await until(() => facts.length > 0);
    await closed(await dial(lane('replies')));
    first.end('still mine');
    await until(() => facts.some(isOf('ended', 'replies')));
    expect(bytesOf('replies').toString()).toBe('still mine');
  });

  it('when its nonce has been let go of', async () => {
    link.close();
    await closed(await dial(lane('control')));
    expect(facts).toEqual([]);
  });

  it('when its first frame does not come in time', async () => {
    const socket = await dial(lane('control').subarray(0, 5));
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(LIMITS.helloTimeoutMs);
    await closed(socket);
    expect(facts).toEqual([]);
  });
});

describe('the private directory', () => {
  it('belongs to its owner alone', () => {
    expect(statSync(transport.directory).mode & 0o777).toBe(0o700);
  });

  it('holds the socket and what is made below it', () => {
    expect([dirname(transport.address), dirname(transport.pathOf('scratch'))]).toEqual([
      transport.directory,
      transport.directory,
    ]);
  });

  it('is gone, with all that is in it, once the transport is closed', async () => {
    mkdirSync(transport.pathOf('scratch'));
    await transport.close();
    expect(existsSync(transport.directory)).toBe(false);
  });

  it('is refused, and not left behind, when the path of its socket would be too long', async () => {
    const before = process.env['TMPDIR'];
    const deep = join(mkdtempSync(join(tmpdir(), 'caduceus-deep-')), 'x'.repeat(80));
    mkdirSync(deep);
    process.env['TMPDIR'] = deep;
    try {
      const failure = await SocketTransport.listen(clock).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(InvalidConfigError);
      expect((failure as Error).message).toMatch(
        /^TMPDIR: .* has \d{3} bytes, at most 100 are allowed/u,
      );
      expect(readdirSync(deep)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
      rmSync(dirname(deep), { recursive: true, force: true });
    }
  });
});

describe('closing the transport', () => {
  it('closes connections that have not shown a nonce', async () => {
    const socket = await dial(Buffer.alloc(0));
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    await transport.close();
    await closed(socket);
    expect(clock.pending).toBe(0);
  });

  it('closes connections of workers too', { timeout: 1_000 }, async () => {
    const socket = await dial(lane('control'));
    await until(() => facts.length > 0);
    const closing = transport.close();
    await closed(socket);
    await closing;
    expect(existsSync(transport.directory)).toBe(false);
  });

  it('may be done twice', async () => {
    await transport.close();
    await expect(transport.close()).resolves.toBeUndefined();
  });
});
