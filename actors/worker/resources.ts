// How much of the machine does a worker use, and is it too much? Read at its heartbeats; what follows is the pool's affair.
import type { Clock } from '../ground/clock.ts';
import type { Host } from '../port/host.ts';

/** Beyond these a worker is to be replaced when that suits. What is not given is not limited. */
export interface ResourceLimits {
  readonly rssBytesMax?: number | undefined;
  /** Of one incarnation, since the start of its process. */
  readonly cpuMsMax?: number | undefined;
  readonly openFilesMax?: number | undefined;
}

/** What one incarnation used at one moment. */
export interface WorkerUsage {
  readonly rssBytes: number;
  /** Of all its threads, since its start. */
  readonly cpuMs: number;
  /** Undefined when nobody limits them, since counting lists a folder; or when the system does not tell. */
  readonly openFiles: number | undefined;
  readonly threads: number;
  /** Monotonic. */
  readonly readAtMs: number;
}

export type ResourceVerdict =
  | 'within'
  | {
      readonly type: 'over';
      readonly what: keyof ResourceLimits;
      readonly found: number;
      readonly limit: number;
    };

const LIMITED = [
  ['rssBytesMax', 'rssBytes'],
  ['cpuMsMax', 'cpuMs'],
  ['openFilesMax', 'openFiles'],
] as const satisfies readonly (readonly [keyof ResourceLimits, keyof WorkerUsage])[];

/** The first limit that is passed, in the order rss, CPU time, open files. A limit that is met is kept; what is unknown passes none. */
export function judgeResources(usage: WorkerUsage, limits: ResourceLimits): ResourceVerdict {
  for (const [what, measure] of LIMITED) {
    const limit = limits[what];
    const found = usage[measure];
    if (limit !== undefined && found !== undefined && found > limit) {
      return { type: 'over', what, found, limit };
    }
  }
  return 'within';
}

export interface ResourcePorts {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly host: Host;
}

/** A limit that was passed, and all that was used when this was found. */
export interface ResourceExcess {
  readonly what: keyof ResourceLimits;
  readonly found: number;
  readonly limit: number;
  readonly usage: WorkerUsage;
}

/** The watch over one incarnation: each has its own. It has no timer; the heartbeat drives it. */
export class ResourceWatch {
  readonly #limits: ResourceLimits;
  readonly #ports: ResourcePorts;
  #usage: WorkerUsage | undefined;
  /** The limits that have not been passed yet. */
  #left: ResourceLimits;

  constructor(limits: ResourceLimits, ports: ResourcePorts) {
    this.#limits = limits;
    this.#ports = ports;
    this.#left = limits;
  }

  /** The last reading that there was. */
  get usage(): WorkerUsage | undefined {
    return this.#usage;
  }

  /** Read now. @returns the limits that are passed for the first time: each is told once, however long the excess lasts or how often it comes back. */
  sample(pid: number): readonly ResourceExcess[] {
    const usage = this.#read(pid);
    if (usage === undefined) return [];
    this.#usage = usage;
    const passed: ResourceExcess[] = [];
    let verdict = judgeResources(usage, this.#left);
    while (verdict !== 'within') {
      const { what, found, limit } = verdict;
      passed.push({ what, found, limit, usage });
      this.#left = { ...this.#left, [what]: undefined };
      verdict = judgeResources(usage, this.#left);
    }
    return passed;
  }

  #read(pid: number): WorkerUsage | undefined {
    const { clock, host } = this.#ports;
    const reading = host.readProcess(pid);
    // A zombie's memory is gone already: its last reading in life says more.
    if (reading === undefined || reading.state === 'zombie') return undefined;
    const { rssBytes, cpuMs, threads } = reading;
    const isCounted = this.#limits.openFilesMax !== undefined;
    const openFiles = isCounted ? host.countOpenFiles(pid) : undefined;
    return { rssBytes, cpuMs, openFiles, threads, readAtMs: clock.nowMs() };
  }
}
