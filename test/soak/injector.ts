// Who puts faults into workers? Signals to processes, and calls that end their own; each is written down before it is done.
import type { Runtime, TreeNode } from '../../src/index.ts';
import type { Client } from './client.ts';
import type { Dice } from './dice.ts';
import type { Fault, Targets } from './judge.ts';

/** Of a hundred faults. */
const WEIGHTS = { kill: 45, freeze: 15, segfault: 10, exit: 8, fault: 8, together: 4, zygote: 3 };
const PAUSE_MS_MIN = 30;
const PAUSE_MS_MAX = 350;
/** Exit statuses of workers that leave: 0 is a clean one. */
const STATUSES = [0, 1, 3];
/** A frozen worker is found after four heartbeats, and asked for its stacks; the rest is for a machine at full load. */
const FROZEN_MS_MAX = 15_000;

interface Frozen {
  readonly path: string;
  readonly epoch: number;
  readonly sinceMs: number;
}

export class Injector {
  readonly #pool: string;
  readonly #runtime: Runtime;
  readonly #targets: Targets;
  readonly #dice: Dice;
  readonly #client: Client;
  readonly #nowMs: () => number;
  readonly #counts = { kill: 0, freeze: 0, segfault: 0, exit: 0, zygote: 0 };
  readonly #frozen = new Map<string, Frozen>();
  /** A zygote that was killed: the workers that it takes along are known when its death is. */
  #zygotePath: string | undefined;

  constructor(
    pool: string,
    given: {
      readonly runtime: Runtime;
      readonly targets: Targets;
      readonly dice: Dice;
      readonly client: Client;
      readonly nowMs: () => number;
    },
  ) {
    this.#pool = pool;
    this.#runtime = given.runtime;
    this.#targets = given.targets;
    this.#dice = given.dice;
    this.#client = given.client;
    this.#nowMs = given.nowMs;
  }

  /** How many of each kind. */
  get counts(): Readonly<Record<Fault, number>> {
    return { ...this.#counts };
  }

  async run(isOver: () => boolean): Promise<void> {
    const pending = new Set<Promise<void>>();
    while (!isOver()) {
      const done = this.#once().finally(() => pending.delete(done));
      pending.add(done);
      await pause(this.#dice.between(PAUSE_MS_MIN, PAUSE_MS_MAX));
    }
    await Promise.all(pending);
  }

  /** To be told of every crash and stop of a child, as it happens. */
  onEnd(path: string, epoch: number): void {
    this.#frozen.delete(`${path} ${epoch}`);
    if (path !== this.#zygotePath) return;
    this.#zygotePath = undefined;
    for (const worker of this.#incarnations()) this.#aim(worker, 'zygote');
  }

  /** To be told of every launch: what a dead zygote had still forked dies with it, and may be heard of before it. */
  onLaunch(path: string, epoch: number): void {
    if (this.#zygotePath === undefined || !path.startsWith(`${this.#pool}/`)) return;
    this.#targets.add({ workerId: path, epoch }, 'zygote');
  }

  /** Frozen workers that should have been found by now. */
  review(): void {
    for (const [key, { path, epoch, sinceMs }] of this.#frozen) {
      const tookMs = this.#nowMs() - sinceMs;
      if (tookMs < FROZEN_MS_MAX) continue;
      this.#frozen.delete(key);
      this.#client.complain(
        `${path} (epoch ${epoch}) has been frozen for ${Math.round(tookMs)} ms and is not replaced`,
      );
    }
  }

  /** So many frozen workers are not found yet. */
  get frozenCount(): number {
    return this.#frozen.size;
  }

  async #once(): Promise<void> {
    const choice = this.#dice.weighted(WEIGHTS);
    switch (choice) {
      case 'kill':
        this.#signal(this.#choose(), 'kill', 'SIGKILL');
        return;
      case 'segfault':
        this.#signal(this.#choose(), 'segfault', 'SIGSEGV');
        return;
      case 'freeze':
        this.#signal(this.#choose(), 'freeze', 'SIGSTOP');
        return;
      case 'exit':
        return this.#order('exit', { how: 'exit', status: this.#dice.one(STATUSES) });
      case 'fault':
        return this.#order('segfault', { how: 'segfault' });
      case 'together':
        for (const worker of this.#workers()) this.#signal(worker, 'kill', 'SIGKILL');
        return;
      case 'zygote':
        this.#killZygote();
        return;
      default:
        return choice satisfies never;
    }
  }

  /** A worker that works, or one that is idle, or in half of the cases any, one that starts too. */
  #choose(): TreeNode | undefined {
    const workers = this.#workers();
    const state = this.#dice.one(['busy', 'ready', 'any', 'any']);
    const found = workers.filter((worker) => state === 'any' || worker.state === state);
    return this.#dice.one(found.length === 0 ? workers : found);
  }

  #signal(worker: TreeNode | undefined, fault: Fault, signal: NodeJS.Signals): void {
    if (worker?.pid === undefined) return;
    const { path, epoch, pid, state } = worker;
    // One that has not said hello has no heartbeats: its start has a deadline of a minute.
    if (fault === 'freeze' && state !== 'ready' && state !== 'busy') return;
    this.#aim(worker, fault);
    if (!send(pid, signal)) return;
    this.#counts[fault] += 1;
    if (fault !== 'freeze') return;
    this.#frozen.set(`${path} ${epoch}`, { path, epoch, sinceMs: this.#nowMs() });
  }

  /** A call that ends its worker: it says which, right before. */
  async #order(fault: Fault, args: Readonly<Record<string, unknown>>): Promise<void> {
    const onProgress = (pid: unknown): void => {
      const worker = this.#workers().find((each) => each.pid === pid);
      if (worker === undefined) return;
      this.#aim(worker, fault);
      this.#counts[fault] += 1;
    };
    const given = await this.#client.call({ op: 'die', args, onProgress, maxRetries: 0 });
    if (given.type === 'answer') this.#client.complain('a worker that was to die has answered');
  }

  #killZygote(): void {
    const zygote = this.#children().find(({ id }) => id === 'zygote');
    if (zygote?.pid === undefined || zygote.state !== 'ready') return;
    this.#zygotePath = zygote.path;
    for (const process of [zygote, ...this.#incarnations()]) this.#aim(process, 'zygote');
    if (send(zygote.pid, 'SIGKILL')) this.#counts.zygote += 1;
  }

  #aim({ path, epoch }: TreeNode, fault: Fault): void {
    this.#targets.add({ workerId: path, epoch }, fault);
  }

  /** Those that have a process. */
  #workers(): readonly TreeNode[] {
    return this.#incarnations().filter(({ pid }) => pid !== undefined);
  }

  #incarnations(): readonly TreeNode[] {
    const leaves = (node: TreeNode): readonly TreeNode[] =>
      node.kind === 'worker' ? [node] : node.children.flatMap(leaves);
    return this.#children()
      .flatMap(leaves)
      .filter(({ id }) => id !== 'zygote');
  }

  #children(): readonly TreeNode[] {
    return this.#runtime.tree().children.find(({ id }) => id === this.#pool)?.children ?? [];
  }
}

/** False when it has ended by itself in the meantime. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
