// What does the operating system know of a process that is not ours to ask? The port for readings; tests put scripted processes behind it.
import { readdirSync, readFileSync } from 'node:fs';
import { endianness } from 'node:os';

/** One look at a process, as the system counts it. */
export interface ProcessReading {
  /** `stopped`: by SIGSTOP or a debugger; `zombie`: dead, not yet reaped. */
  readonly state: 'running' | 'sleeping' | 'uninterruptible' | 'stopped' | 'zombie' | 'other';
  /** CPU time of all its threads since its start, in ms. */
  readonly cpuMs: number;
  /** With the pid it names one process for ever: pids are used again, starts are not. Clock ticks since boot. */
  readonly startTicks: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  readonly threads: number;
  readonly rssBytes: number;
}

export interface Host {
  /** Undefined when there is no such process, or when this system does not tell. */
  readProcess(pid: number): ProcessReading | undefined;
  /** Open descriptors of a process; undefined as above. Costs more than `readProcess`: a folder is listed. */
  countOpenFiles(pid: number): number | undefined;
  /** How many processes the kernel has killed for want of memory: of our control group, else of the whole machine. Undefined: it does not tell. */
  countOomKills?(): number | undefined;
}

/** What the kernel counts in: from the auxiliary vector of our own process. */
export interface HostUnits {
  readonly pageBytes: number;
  readonly ticksPerSecond: number;
}

const STATES: Readonly<Record<string, ProcessReading['state']>> = {
  R: 'running',
  S: 'sleeping',
  D: 'uninterruptible',
  T: 'stopped',
  t: 'stopped',
  Z: 'zombie',
};

const MS_PER_SECOND = 1_000;

/**
 * One line of `/proc/<pid>/stat`; undefined when it is none. Fields are counted from the last `)`: a program's name may hold spaces and brackets.
 * @param units of the machine that wrote the line.
 */
export function parseProcessStat(text: string, units: HostUnits): ProcessReading | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .trimEnd()
    .split(' ');
  // proc(5) counts from 1, and these begin with the third.
  const field = (number: number): number => Number(fields[number - 3]);
  const startTicks = field(22);
  const rssPages = field(24);
  if (!Number.isSafeInteger(startTicks) || !Number.isSafeInteger(rssPages)) return undefined;
  return {
    state: STATES[fields[0] ?? ''] ?? 'other',
    cpuMs: ((field(14) + field(15)) * MS_PER_SECOND) / units.ticksPerSecond,
    startTicks,
    parentPid: field(4),
    groupId: field(5),
    sessionId: field(6),
    threads: field(20),
    rssBytes: rssPages * units.pageBytes,
  };
}

const AT_PAGE_BYTES = 6;
const AT_TICKS_PER_SECOND = 17;
/** What Linux has nearly everywhere; used where the vector cannot be read. */
const USUAL_UNITS: HostUnits = { pageBytes: 4_096, ticksPerSecond: 100 };

/** The auxiliary vector: pairs of machine words, key and value. */
export function parseAuxiliaryVector(bytes: Buffer, wordBytes: 4 | 8): HostUnits {
  const littleEndian = endianness() === 'LE';
  const word = (at: number): number => {
    // Only the low 32 bits matter: both values are small.
    const low = littleEndian || wordBytes === 4 ? at : at + 4;
    return littleEndian ? bytes.readUInt32LE(low) : bytes.readUInt32BE(low);
  };
  let { pageBytes, ticksPerSecond } = USUAL_UNITS;
  for (let at = 0; at + 2 * wordBytes <= bytes.length; at += 2 * wordBytes) {
    const value = word(at + wordBytes);
    if (word(at) === AT_PAGE_BYTES) pageBytes = value;
    if (word(at) === AT_TICKS_PER_SECOND) ticksPerSecond = value;
  }
  return { pageBytes, ticksPerSecond };
}

const NARROW = new Set<string>(['arm', 'ia32', 'mipsel', 'mips']);
let units: HostUnits | undefined;

function unitsHere(): HostUnits {
  units ??= readOr(undefined, () =>
    parseAuxiliaryVector(readFileSync('/proc/self/auxv'), NARROW.has(process.arch) ? 4 : 8),
  );
  return units ?? USUAL_UNITS;
}

/** `oom_kill` of a control group's `memory.events`, or of `/proc/vmstat`; undefined when it is not in there. */
export function parseOomKills(text: string): number | undefined {
  const count = /^oom_kill (\d+)$/mu.exec(text)?.[1];
  return count === undefined ? undefined : Number(count);
}

const GROUPS = '/sys/fs/cgroup';

/** The folder of our control group, by `/proc/self/cgroup`; undefined without version 2 of them. */
export function parseControlGroup(text: string): string | undefined {
  const path = /^0::(\/.*)$/mu.exec(text)?.[1];
  return path === undefined ? undefined : `${GROUPS}${path === '/' ? '' : path}`;
}

function controlGroupOomKills(): number | undefined {
  const folder = parseControlGroup(readFileSync('/proc/self/cgroup', 'utf8'));
  return folder === undefined
    ? undefined
    : parseOomKills(readFileSync(`${folder}/memory.events`, 'utf8'));
}

/** Reads `/proc`, at once and cheaply: about 20 µs for a process. */
export const linuxHost: Host = {
  readProcess: (pid) =>
    readOr(undefined, () =>
      parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'), unitsHere()),
    ),
  countOpenFiles: (pid) => readOr(undefined, () => readdirSync(`/proc/${pid}/fd`).length),
  countOomKills: () =>
    readOr(undefined, controlGroupOomKills) ??
    readOr(undefined, () => parseOomKills(readFileSync('/proc/vmstat', 'latin1'))),
};

const silentHost: Host = { readProcess: () => undefined, countOpenFiles: () => undefined };

/** The host that we run on: Linux tells, others do not. */
export const systemHost: Host = process.platform === 'linux' ? linuxHost : silentHost;

/** A process may end between any two looks, or belong to somebody else: then nothing is known of it. */
function readOr<Value>(otherwise: Value, read: () => Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
