// May we work with this worker, and by which version? A pure verdict over its `hello` (`docs/protocol.md` §3).
import type { Hello } from '../ground/worker-facts.ts';
import { PROTOCOL_VERSION } from './message.ts';
import type { PortAbility } from './port-types.ts';

export type HelloVerdict =
  | { readonly type: 'welcome'; readonly protocol: string }
  | { readonly type: 'refuse'; readonly reason: string };

/** The oldest Python that the worker's own code runs on. */
export const PYTHON_MIN = '3.10';

/** Segments, streams and heartbeats came with it, and nothing here works without them. */
const MINOR_MIN = 1;

/** Batches came with it. */
const MINOR_OF_BATCHES = 2;

const BASE: readonly PortAbility[] = ['streams', 'callbacks', 'cancellation', 'heartbeat'];
const AT_FIRST: ReadonlySet<PortAbility> = new Set(BASE);
const WITH_BATCHES: ReadonlySet<PortAbility> = new Set([...BASE, 'batches']);

/** What a worker can be asked for that speaks this version; before one is agreed on, what every version has. */
export function abilitiesOf(protocol?: string): ReadonlySet<PortAbility> {
  if (protocol === undefined) return AT_FIRST;
  return versionOf(protocol)[1] >= MINOR_OF_BATCHES ? WITH_BATCHES : AT_FIRST;
}

export function judgeHello(hello: Hello, pythonMin: string = PYTHON_MIN): HelloVerdict {
  const [major, minor] = versionOf(PROTOCOL_VERSION);
  const [theirMajor, theirMinor] = versionOf(hello.protocol);
  if (theirMajor !== major || theirMinor < MINOR_MIN) {
    const wanted = theirMajor === major ? `${major}.${MINOR_MIN} or newer` : `${major}.x`;
    return { type: 'refuse', reason: `protocol ${hello.protocol} found, ${wanted} wanted` };
  }
  if (compareVersions(hello.python, pythonMin) < 0) {
    return { type: 'refuse', reason: `Python ${hello.python} found, ${pythonMin} or newer wanted` };
  }
  return { type: 'welcome', protocol: `${major}.${Math.min(minor, theirMinor)}` };
}

/** Compare dotted versions number by number; a missing part counts as 0, a suffix such as `rc1` is ignored. */
export function compareVersions(left: string, right: string): number {
  const a = parts(left);
  const b = parts(right);
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function parts(version: string): number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10) || 0);
}

function versionOf(version: string): readonly [major: number, minor: number] {
  const [major = 0, minor = 0] = parts(version);
  return [major, minor];
}
