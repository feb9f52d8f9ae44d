// Which processes has a run started? A file in the run's folder that says so after its Node is gone; read by whoever starts next.
import { closeSync, openSync, readFileSync, readlinkSync, renameSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

import type { Bus } from '../ground/bus.ts';
import { errorFrom } from '../ground/error-from.ts';
import { LIMITS } from '../ground/limits.ts';
import type { GuardedGroup } from './guardian.ts';
import type { Host } from './host.ts';

/** How the folder of a run begins its name. */
export const RUN_PREFIX = 'caduceus-';

/** Its name in the folder of the run. */
export const LEDGER_NAME = 'ledger';

const FORMAT = 'caduceus-run/1';

const headerSchema = z.object({
  format: z.literal(FORMAT),
  token: z.string().min(1),
  node: z.object({ pid: z.int().positive(), startTicks: z.int().nonnegative() }),
  hostName: z.string(),
  bootId: z.string().min(1),
  pidNamespace: z.string().min(1),
});

/** Who wrote a ledger: which Node, in which boot of which machine, and the numbers of which namespace it speaks of. */
export type LedgerHeader = z.infer<typeof headerSchema>;

const lineSchema = z.tuple([
  z.enum(['launched', 'ended']),
  z.int().positive(),
  z.int().nonnegative(),
  z.string(),
]);

/** What a ledger says: its header, and those that were launched and had not ended. */
export interface LedgerContent {
  readonly header: LedgerHeader;
  readonly living: readonly GuardedGroup[];
}

/** Read one. Undefined when it is not one of ours, in another format or damaged; its last line may be torn, since Node may die while it writes. */
export function parseLedger(text: string): LedgerContent | undefined {
  // What follows the last end of a line is nothing, or torn.
  const [first = '', ...lines] = text.split('\n').slice(0, -1);
  const header = headerSchema.safeParse(parseJson(first));
  if (!header.success) return undefined;
  const living = new Map<string, GuardedGroup>();
  for (const line of lines) {
    const { success, data } = lineSchema.safeParse(parseJson(line));
    if (!success) return undefined;
    const [what, pid, startTicks, incarnation] = data;
    if (what === 'launched') living.set(incarnation, { pid, startTicks, incarnation });
    else living.delete(incarnation);
  }
  return { header: header.data, living: [...living.values()] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where pids mean what they mean here. Undefined where the system does not tell: then no run is ever judged to be dead. */
export type Place = Pick<LedgerHeader, 'hostName' | 'bootId' | 'pidNamespace'>;

/** This machine, since its start, in our namespace. */
export function placeHere(): Place | undefined {
  try {
    return {
      hostName: hostname(),
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
      pidNamespace: readlinkSync('/proc/self/ns/pid'),
    };
  } catch {
    return undefined;
  }
}

/** What may be done about another run: nothing at all, remove its folder, or kill what it left behind first. */
export type RunVerdict = 'leave' | 'other_boot' | 'dead';

/**
 * Judge a run by its ledger.
 * @param nodeStart the start of the process that has its Node's pid now; `none` when there surely is no such process, undefined when that cannot be known.
 */
export function judgeRun(
  header: LedgerHeader,
  here: Place,
  nodeStart: number | 'none' | undefined,
): RunVerdict {
  // A folder may be shared with another machine, which has a boot of its own and may be running.
  if (header.hostName !== here.hostName) return 'leave';
  if (header.bootId !== here.bootId) return 'other_boot';
  if (header.pidNamespace !== here.pidNamespace) return 'leave';
  if (nodeStart === undefined || header.node.startTicks === 0) return 'leave';
  return nodeStart === header.node.startTicks ? 'leave' : 'dead';
}

type Writing =
  | { readonly type: 'open'; readonly descriptor: number }
  /** It could not be written, which has been told; or the run is over. */
  | { readonly type: 'over' };

/** The ledger of this run. Its failure harms nobody: it is told once, and nothing more is written. */
export class Ledger {
  readonly #path: string;
  readonly #head: string;
  readonly #bus: Bus;
  readonly #living = new Map<string, GuardedGroup>();
  #linesCount = 0;
  #writing: Writing = { type: 'over' };

  private constructor(path: string, header: LedgerHeader, bus: Bus) {
    this.#path = path;
    this.#head = `${JSON.stringify(header)}\n`;
    this.#bus = bus;
  }

  /** Begin one, in the private folder of a run. */
  static open(
    directory: string,
    token: string,
    ports: { readonly bus: Bus; readonly host: Host },
  ): Ledger | undefined {
    const place = placeHere();
    const node = ports.host.readProcess(process.pid);
    // Nobody could ever judge it.
    if (place === undefined || node === undefined) return undefined;
    const { startTicks } = node;
    const header: LedgerHeader = {
      format: FORMAT,
      token,
      node: { pid: process.pid, startTicks },
      ...place,
    };
    const ledger = new Ledger(join(directory, LEDGER_NAME), header, ports.bus);
    ledger.#attempt(() => ledger.#rewrite());
    return ledger;
  }

  launched(group: GuardedGroup): void {
    this.#living.set(group.incarnation, group);
    this.#append('launched', group);
  }

  ended(group: GuardedGroup): void {
    this.#living.delete(group.incarnation);
    this.#append('ended', group);
  }

  close(): void {
    const writing = this.#writing;
    this.#writing = { type: 'over' };
    if (writing.type === 'open') closeSync(writing.descriptor);
  }

  #append(what: 'launched' | 'ended', group: GuardedGroup): void {
    const writing = this.#writing;
    if (writing.type === 'over') return;
    this.#attempt(() => {
      this.#linesCount += 1;
      const linesMax = LIMITS.ledgerLinesMin + LIMITS.ledgerLinesPerLiving * this.#living.size;
      if (this.#linesCount > linesMax) this.#rewrite();
      else writeSync(writing.descriptor, lineOf(what, group));
    });
  }

  /** Written aside and moved into place: who reads it meanwhile, or after our death in the middle, finds a whole one. */
  #rewrite(): void {
    const aside = `${this.#path}.new`;
    const descriptor = openSync(aside, 'w', 0o600);
    const before = this.#writing;
    this.#writing = { type: 'open', descriptor };
    const lines = [...this.#living.values()].map((group) => lineOf('launched', group));
    writeSync(descriptor, [this.#head, ...lines].join(''));
    renameSync(aside, this.#path);
    this.#linesCount = lines.length;
    if (before.type === 'open') closeSync(before.descriptor);
  }

  #attempt(write: () => void): void {
    try {
      write();
    } catch (cause) {
      this.close();
      this.#bus.emit('ledger.failed', { path: this.#path, error: errorFrom(cause) });
    }
  }
}

function lineOf(
  what: 'launched' | 'ended',
  { pid, startTicks, incarnation }: GuardedGroup,
): string {
  return `${JSON.stringify([what, pid, startTicks, incarnation])}\n`;
}
