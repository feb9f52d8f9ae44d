// What does a process do whose code throws where nobody catches it? Run as `node crash-trap-host.js <scenario>`; each line of its output is JSON.
import { EventEmitter, once } from 'node:events';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { MessageChannel, Worker } from 'node:worker_threads';
import {
  currentOwner,
  installCrashTrap,
  runInside,
  type CrashOwner,
} from '../../../actors/lifecycle/crash-trap.ts';

function say(fact: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
}

/** Says what it is told, and in whose name that happens. */
class Reporter implements CrashOwner {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  crashed(error: Error): void {
    const cause = error.cause === undefined ? {} : { cause: error.cause };
    const as = currentOwner() === undefined ? {} : { as: 'somebody' };
    say({ owner: this.name, error: error.message, ...cause, ...as });
  }
}

const a = new Reporter('a');
const b = new Reporter('b');

const fail = (): never => {
  throw new Error('lost');
};
const failAsync = async () => fail();
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
const ignore = () => undefined;

/** Ways out of an owner's code. Each is run inside of `a`. */
const ESCAPES = {
  timer: () => setTimeout(fail, 1),
  interval() {
    const timer = setInterval(() => {
      clearInterval(timer);
      fail();
    }, 1);
  },
  immediate: () => setImmediate(fail),
  tick: () => process.nextTick(fail),
  microtask: () => queueMicrotask(fail),
  'promise without a handler': () => void Promise.reject(new Error('lost')),
  'then without a catch': () => void Promise.resolve().then(fail),
  'async function': () => void failAsync(),
  'async function after a wait': () => void turn().then(failAsync),
  'async timer': () => setTimeout(() => void failAsync(), 1),
  'awaited promise that is rejected from outside': () => void awaitOutside(),
  'connection that is refused': () => createConnection(1, '127.0.0.1'),
  'data of a socket': readSocket,
  'message port': readPort,
  'thread without a listener': () => new Worker('throw new Error("lost")', { eval: true }),
  'timer that a timer made': () => setTimeout(() => setTimeout(fail, 1), 1),
} satisfies Record<string, () => unknown>;

const outside = new EventEmitter();

async function awaitOutside(): Promise<void> {
  runInside(undefined, () => setTimeout(() => outside.emit('error', new Error('lost')), 1));
  await once(outside, 'done');
}

function readSocket(): void {
  const server = createServer((peer) => {
    server.close();
    peer.end('x');
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    createConnection(port, '127.0.0.1').on('data', fail);
  });
}

function readPort(): void {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', () => {
    port1.close();
    fail();
  });
  port2.postMessage('x');
}

const inside = (owner: CrashOwner, fn: () => unknown): void => {
  installCrashTrap();
  runInside(owner, fn);
};
const stayAlive = () => setTimeout(() => say({ alive: true }), 50);

/** What else can be asked of a process. `untrapped …` is the same without us, as Node would have it. */
const SCENARIOS = {
  'two owners'() {
    inside(a, () => setTimeout(() => void Promise.reject(new Error('of a')), 2));
    inside(b, () => setTimeout(() => setImmediate(() => queueMicrotask(failB)), 1));
    inside(a, () => runInside(b, () => setTimeout(failB, 3)));
  },
  'non-errors'() {
    inside(a, () => setTimeout(() => raise('text'), 1));
    inside(a, () => queueMicrotask(() => raise(undefined)));
    inside(a, () => void rejectWith('reason'));
  },
  'caught at once'() {
    try {
      inside(a, fail);
    } catch (error) {
      say({ caught: (error as Error).message, owner: currentOwner() !== undefined });
    }
  },
  'nobody’s timer'() {
    inside(a, () => runInside(undefined, () => setTimeout(fail, 1)));
    stayAlive();
  },
  'nobody’s rejection'() {
    inside(a, ignore);
    void failAsync();
    stayAlive();
  },
  'nobody’s text'() {
    inside(a, ignore);
    void rejectWith('reason');
    stayAlive();
  },
  'untrapped timer'() {
    setTimeout(fail, 1);
    stayAlive();
  },
  'untrapped rejection'() {
    void failAsync();
    stayAlive();
  },
  'untrapped text'() {
    void rejectWith('reason');
    stayAlive();
  },
  'listener of uncaughtException'() {
    process.on('uncaughtException', (error, origin) => say({ heard: error.message, origin }));
    inside(a, () => setTimeout(fail, 1));
    inside(a, () => void failAsync());
    setTimeout(() => raise(new Error('of nobody')), 5);
    setTimeout(() => void rejectWith(new Error('of nobody')), 10);
    stayAlive();
  },
  'listener of unhandledRejection'() {
    const first = (reason: unknown) => say({ heard: (reason as Error).message });
    process.on('unhandledRejection', first);
    inside(a, () => void failAsync());
    setTimeout(() => void rejectWith(new Error('of nobody')), 5);
    setTimeout(() => process.off('unhandledRejection', first), 10);
    setTimeout(() => say({ listeners: process.listenerCount('unhandledRejection') }), 15);
    setTimeout(() => inside(a, () => void failAsync()), 20);
    setTimeout(() => process.once('unhandledRejection', first), 25);
    setTimeout(() => inside(b, () => void failAsync()), 30);
    setTimeout(() => say({ listeners: process.listenerCount('unhandledRejection') }), 35);
    setTimeout(() => void rejectWith(new Error('at last')), 40);
  },
  'owner that throws'() {
    inside(failing, () => setTimeout(fail, 1));
    stayAlive();
  },
  'owner that throws, with a listener'() {
    process.on('uncaughtException', (error) => say({ heard: error.message }));
    inside(failing, () => setTimeout(fail, 1));
    stayAlive();
  },
  'somebody else captures'() {
    process.setUncaughtExceptionCaptureCallback((error) => say({ captured: error.message }));
    say({ installed: installCrashTrap() });
    runInside(a, () => setTimeout(fail, 1));
    setTimeout(() => {
      process.setUncaughtExceptionCaptureCallback(null);
      say({ installed: installCrashTrap() });
      runInside(a, () => setTimeout(fail, 1));
    }, 20);
  },
  async 'domains are in use'() {
    await import('node:domain');
    say({ installed: installCrashTrap() });
  },
  'asked for twice'() {
    say({ installed: [installCrashTrap(), installCrashTrap()] });
    inside(a, () => setTimeout(fail, 1));
  },
  'in a thread'() {
    const thread = new Worker(new URL(import.meta.url), { argv: ['inside a thread'] });
    thread.on('error', (error) => say({ parent: error.message }));
  },
  'inside a thread'() {
    inside(a, () => setTimeout(() => raise(new Error('of a')), 1));
    setTimeout(fail, 20);
  },
} satisfies Record<string, () => unknown>;

const failing: CrashOwner = { crashed: () => raise(new Error('of the owner')) };
const failB = () => raise(new Error('of b'));

function raise(thrown: unknown): never {
  throw thrown;
}

async function rejectWith(reason: unknown): Promise<never> {
  return raise(reason);
}

/** A name of what this process can show. */
export type Escape = keyof typeof ESCAPES;
export type Scenario = keyof typeof SCENARIOS;

const [, , name = ''] = process.argv;
if (name in ESCAPES) inside(a, () => ESCAPES[name as Escape]());
else await SCENARIOS[name as Scenario]();
