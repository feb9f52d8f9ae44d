// How does a test get a real pool whose workers are forked from a scripted zygote, under virtual time?
import { Bus } from '../../actors/ground/bus.ts';
import { SHUTDOWN } from '../../actors/ground/exit-reason.ts';
import { Names } from '../../actors/lifecycle/names.ts';
import { encodeFrame, FrameDecoder } from '../../actors/port/frame.ts';
import type { KillSignal, ProcessFact, Spawner, SpawnRequest } from '../../actors/port/launcher.ts';
import { noGuard } from '../../actors/port/run-guard.ts';
import type { LinkFact, ZygoteLane, ZygoteTransport } from '../../actors/port/transport.ts';
import { Pool } from '../../supervisors/pool/pool.ts';
import type { PoolOptions } from '../../supervisors/pool/pool-options.ts';
import { checkFlags } from '../../supervisors/supervisor-flags.ts';
import { Supervisor } from '../../supervisors/supervisor.ts';
import { ScriptedHost, ZYGOTE_HELLO, ZYGOTE_READY } from './scripted-zygote.ts';
import { ScriptedWorld, type WorldOptions } from './scripted-world.ts';
import { underRoot } from './under-root.ts';
import { VirtualClock } from './virtual-clock.ts';

type Order = Readonly<Record<string, unknown>>;

const FRAME_BYTES_MAX = 1 << 20;
const ZYGOTE = 'zygote';
const FIRST_ZYGOTE_PID = 1_000;

/** A zygote in the world of scripted workers: what it forks lives there. */
export class ScriptedForks implements Spawner, ZygoteTransport {
  readonly address = 'scripted';
  readonly host = new ScriptedHost();
  readonly log: string[] = [];
  /** What it does with an order to fork. */
  answer: 'forks' | 'refuses' | 'hangs' = 'forks';
  ready: object = ZYGOTE_READY;
  readonly #world: ScriptedWorld;
  readonly #forked = new Set<number>();
  #starts = 0;
  #tellProcess: (fact: ProcessFact) => void = () => undefined;
  #tellLink: (fact: LinkFact<ZygoteLane>) => void = () => undefined;
  #life: 'none' | 'alive' = 'none';

  constructor(world: ScriptedWorld) {
    this.#world = world;
  }

  readonly signals = {
    signalGroup: (pid: number, signal: KillSignal) =>
      this.#later('signal', () => this.#processOf(pid)?.exit(null, signal)),
    signalProcess: () => undefined,
  };

  spawn(
    request: SpawnRequest,
    listener: (fact: ProcessFact) => void,
  ): ReturnType<Spawner['spawn']> {
    if (request.command !== ZYGOTE) {
      this.log.push('cold');
      return this.#world.spawn(request, listener);
    }
    this.#starts += 1;
    this.#life = 'alive';
    this.#tellProcess = listener;
    const pid = FIRST_ZYGOTE_PID + this.#starts;
    this.log.push('zygote');
    this.host.starts.set(pid, pid);
    this.#later('process', () => listener({ type: 'spawned', pid }));
    this.#later('lane', () => this.#tellLink({ type: 'opened', lane: 'zygote' }));
    this.#say(ZYGOTE_HELLO);
    return {
      kill: (signal) => this.#later('kill', () => this.die(signal)),
      notify: () => undefined,
    };
  }

  expectZygote(
    ...[, listener]: Parameters<ZygoteTransport['expectZygote']>
  ): ReturnType<ZygoteTransport['expectZygote']> {
    const decoder = new FrameDecoder(FRAME_BYTES_MAX);
    this.#tellLink = listener;
    return {
      write: (bytes) => {
        for (const order of decoder.push(Buffer.from(bytes)))
          this.#later('to', () => this.#take(order));
      },
      end: () => this.#later('to', () => this.die(null)),
      close: () => {
        this.#tellLink = () => undefined;
      },
    };
  }

  /** It ends, and by the kernel's hand so do all that it has forked. `null`: by itself. */
  die(signal: KillSignal | null): void {
    if (this.#life === 'none') return;
    this.#life = 'none';
    for (const pid of this.#forked) this.#processOf(pid)?.exit(null, 'SIGKILL');
    this.#forked.clear();
    this.#later('lane', () => this.#tellLink({ type: 'ended', lane: 'zygote' }));
    const exited: ProcessFact = { type: 'exited', status: signal === null ? 0 : null, signal };
    this.#later('process', () => this.#tellProcess(exited));
    this.#later('process', () => this.#tellProcess({ type: 'closed' }));
  }

  #take(order: Order): void {
    if (this.#life === 'none') return;
    if (order['type'] === 'welcome') this.#say(this.ready);
    if (order['type'] === 'ping') this.#say({ type: 'pong', seq: order['seq'] });
    if (order['type'] !== 'fork') return;
    const { fork } = order;
    if (this.answer === 'refuses') this.#say({ type: 'refused', fork, hazard: '2 threads' });
    if (this.answer === 'forks') this.#fork(fork, order['env'] as SpawnRequest['env']);
  }

  #fork(fork: unknown, env: SpawnRequest['env']): void {
    this.log.push('fork');
    const pid = this.#world.processes.length + 1;
    const request = { command: 'python', args: [], env };
    this.host.starts.set(pid, pid);
    this.#forked.add(pid);
    this.#world.spawn(request, (fact) => {
      if (fact.type === 'spawned') this.#say({ type: 'forked', fork, pid });
      if (fact.type !== 'exited' || !this.#forked.delete(pid)) return;
      const signal = fact.signal === null ? null : 9;
      this.#say({ type: 'exited', pid, status: fact.status, signal });
    });
  }

  #processOf(pid: number) {
    return this.#world.processes.find((process) => process.pid === pid);
  }

  #say(message: object): void {
    const bytes = encodeFrame(message);
    this.#later('lane', () => this.#tellLink({ type: 'bytes', lane: 'zygote', bytes }));
  }

  #later(channel: string, deliver: () => void): void {
    this.#world.later(`zygote/${channel}`, deliver);
  }
}

/** A running pool of two forked workers. */
export function forkingPool(
  options: PoolOptions,
  world: WorldOptions,
  prepare: (forks: ScriptedForks) => void = () => undefined,
) {
  const clock = new VirtualClock();
  const bus = new Bus();
  const scripted = new ScriptedWorld(world);
  const forks = new ScriptedForks(scripted);
  prepare(forks);
  let nonces = 0;
  const ids = { next: (prefix: string) => prefix, nonce: () => `nonce-${(nonces += 1)}` };
  const life = { clock, bus, random: { next: () => 0.5 }, names: new Names() };
  const host = {
    readProcess: (pid: number) => forks.host.readProcess(pid),
    countOpenFiles: () => undefined,
  };
  const ports = { ...life, ids, host, spawner: forks, transport: scripted, guard: noGuard };
  const spawn = { command: 'python', args: [], env: {} };
  const { signals } = forks;
  const scratches: string[] = [];
  const pool = new Pool(
    {
      ...{ name: 'p', options: { size: 2, ...options } },
      launch: () => ({
        spawn,
        bridge: { framework: 'p', module: 'scripted' },
        zygote: { spawn: { ...spawn, command: ZYGOTE }, preload: [], transport: forks, signals },
      }),
      makeScratch: (path) => {
        scratches.push(path);
        return { path, remove: () => undefined };
      },
      startTree: underRoot(() => root),
    },
    ports,
  );
  const flags = checkFlags({ children: [pool.childSpec()] });
  const order = { id: 'root', path: '', epoch: 1, listener: () => undefined };
  const root: Supervisor = new Supervisor(order, flags, life);
  const settle = (choose: () => number = () => 0): void => {
    while (scripted.step(choose()) || clock.poll());
  };
  const advance = (ms: number, choose?: () => number): void =>
    clock.advance(ms, () => settle(choose));
  const stop = (): void => {
    pool.close();
    root.stop('infinity', SHUTDOWN);
    advance(60_000);
  };
  advance(0);
  return { clock, bus, forks, world: scripted, pool, root, settle, advance, stop, scratches };
}
