// Whose time is it? Samples of either process, added up by room.

/** What V8 gives at the end of a profile, as far as it is used here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  /** µs since the sample before. */
  readonly timeDeltas: readonly number[];
}

export interface Share {
  readonly name: string;
  readonly us: number;
}

const OURS = /\/dist\/((?:actors|supervisors|src)(?:\/[a-z]+(?=\/))?)/u;
const PACKAGE = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//u;
/** What V8 cannot see into: the event loop, and system calls with what the kernel does in them. */
export const NATIVE = 'native code: event loop, system calls';
const PROFILER = 'the benchmark itself';
const IDLE = '(idle)';
/** Three times the sampler's period. */
const SAMPLE_US_MAX = 300;
/** Names under which V8 books what is no JavaScript function. */
const WITHOUT_FILE: Readonly<Record<string, string>> = {
  [IDLE]: 'idle',
  '(program)': NATIVE,
  '(garbage collector)': 'garbage collector',
  // The profiler's own beginning and end.
  dispatch: PROFILER,
  writeBuffer: NATIVE,
  writev: NATIVE,
  writeUtf8String: NATIVE,
};

/** Self time by room, the largest first, for one of `calls`. Time without anything to do is left out. */
export function nodeShares(profile: CpuProfile, calls: number): readonly Share[] {
  return sharesOf(profile, calls, ({ url, functionName }) => roomOf(url, functionName));
}

/** Self time by function, the largest first, for one of `calls`. */
export function nodeFunctions(profile: CpuProfile, calls: number): readonly Share[] {
  return sharesOf(profile, calls, ({ url, functionName }) => {
    if (functionName === IDLE) return 'idle';
    const file = url.split('/').slice(-2).join('/');
    return `${functionName || '(anonymous)'}${file === '' ? '' : `  ${file}`}`;
  });
}

function sharesOf(
  { nodes, samples, timeDeltas }: CpuProfile,
  calls: number,
  nameOf: (frame: { readonly functionName: string; readonly url: string }) => string,
): readonly Share[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const totals = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = names.get(id) ?? 'unknown';
    // A sample that is far late was taken from somebody who had to give way to another process: that time is not its own.
    const us = Math.min(timeDeltas[index] ?? 0, SAMPLE_US_MAX);
    totals.set(name, (totals.get(name) ?? 0) + us);
  });
  totals.delete('idle');
  return largestFirst(totals, calls);
}

function roomOf(url: string, functionName: string): string {
  if (url === '') return WITHOUT_FILE[functionName] ?? 'built-ins: JSON, maps, promises';
  const [, room] = OURS.exec(url) ?? [];
  if (room !== undefined) return room;
  const [, name] = PACKAGE.exec(url) ?? [];
  if (name !== undefined) return name;
  if (url.startsWith('node:')) return 'Node’s own JavaScript: streams, net, timers';
  return url.includes('/test/bench/') ? PROFILER : url;
}

/** One line of what the sampler in Python counted: the innermost function, and how often it was met. */
export type PythonSample = readonly [file: string, name: string, count: number];

const PYTHON_ROOMS: readonly (readonly [RegExp, string])[] = [
  [/_lanes\.py _?send/u, 'send'],
  [/_lanes\.py/u, 'receive'],
  [/(?:_frame_decoder\.py|json\/decoder\.py|json\/__init__\.py loads)/u, 'decode'],
  [/(?:_frames|_values|_json)\.py _?(?:decode|receive|read|load)/u, 'decode'],
  [/(?:_frames|_values|_json|json\/encoder|json\/__init__)\.py/u, 'encode'],
  [/base_bridge\.py/u, 'dispatch to the handler'],
  [/_bridge\.py/u, 'the handler'],
  [/caduceus\/\w+\.py/u, 'call loop: context, cancellation, checks'],
];

/** CPU time by what it is spent on, the largest first, for one call that takes `cpuUs` in all. */
export function pythonShares(samples: readonly PythonSample[], cpuUs: number): readonly Share[] {
  const all = samples.reduce((sum, [, , count]) => sum + count, 0);
  const totals = new Map<string, number>();
  for (const [file, name, count] of samples) {
    const place = `${file} ${name}`;
    const [, room] = PYTHON_ROOMS.find(([pattern]) => pattern.test(place)) ?? [];
    const key = room ?? 'other';
    totals.set(key, (totals.get(key) ?? 0) + (count / all) * cpuUs);
  }
  return largestFirst(totals, 1);
}

/** The same by function. */
export function pythonFunctions(samples: readonly PythonSample[], cpuUs: number): readonly Share[] {
  const all = samples.reduce((sum, [, , count]) => sum + count, 0);
  const totals = new Map(
    samples.map(([file, name, count]) => [`${name}  ${file}`, (count / all) * cpuUs]),
  );
  return largestFirst(totals, 1);
}

function largestFirst(totals: ReadonlyMap<string, number>, calls: number): readonly Share[] {
  return [...totals].map(([name, us]) => ({ name, us: us / calls })).sort((a, b) => b.us - a.us);
}
