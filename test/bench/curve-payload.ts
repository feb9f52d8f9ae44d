// How does the cost of a call grow with its payload, as text in JSON and as raw bytes?
import { startRawBytes } from './raw-bytes.ts';
import { median, microsecondsOf, round, type Benchmark, type Thoroughness } from './row.ts';
import { openStage, withScratch } from './stage.ts';
import { benchPython } from './peers/provide.ts';
import type { ArrayInterpreter } from './binary.ts';

const SIZES: Readonly<Record<Thoroughness, readonly number[]>> = {
  full: [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8],
  quick: [100, 1e4, 1e6, 1e7],
};
/** At least so often, and then until the time is over: a large payload is as well known from few calls as a small one from many. */
const CALLS_MIN = 5;
const CALLS_MAX = 1_000;
const POINT_MS: Readonly<Record<Thoroughness, number>> = { full: 1_000, quick: 250 };
/** The size at which the two forms are compared. */
const COMPARED_BYTES = 1e7;

interface Point {
  readonly bytes: number;
  readonly textUs: number | null;
  readonly binaryUs: number | null;
  readonly rawUs: number;
  /** Why there is no time: what is too large for a frame is refused. */
  readonly textRefused?: string;
  readonly binaryRefused?: string;
}

const payload: Benchmark = {
  id: 'curve.payload',
  question:
    'an echo of 100 B to 100 MB, as text and as bytes, beside a raw socket echo: p50 of text ÷ p50 of bytes at 10 MB',
  unit: '× the time of bytes',
  must: null,
  aim: null,
  run: async (thoroughness) => {
    await using stage = await openStage({ script: 'array_bridge.py', python: await benchPython() });
    const { bridge } = stage;
    const { executable } = (await bridge.call('interpreter')) as ArrayInterpreter;
    return await withScratch(async (folder) => {
      const raw = await startRawBytes(executable, folder);
      const echo = (value: unknown) => () => bridge.call('echo', { value });
      try {
        const points: Point[] = [];
        let compared: readonly number[] = [];
        for (const bytes of SIZES[thoroughness]) {
          const buffer = Buffer.alloc(bytes, 'x');
          const limitMs = POINT_MS[thoroughness];
          const text = await timesOrReason(echo(buffer.toString('latin1')), limitMs);
          const binary = await timesOrReason(echo(buffer), limitMs);
          const floor = await timesWithin(() => raw.echo(buffer), limitMs);
          if (bytes === COMPARED_BYTES && binary.type === 'times') compared = binary.ms;
          points.push({
            bytes,
            textUs: microseconds(text),
            binaryUs: microseconds(binary),
            rawUs: round(median(floor) * 1000, 1),
            ...(text.type === 'refused' ? { textRefused: text.reason } : {}),
            ...(binary.type === 'refused' ? { binaryRefused: binary.reason } : {}),
          });
        }
        const at = points.find(({ bytes }) => bytes === COMPARED_BYTES);
        const { textUs = null, binaryUs = null } = at ?? {};
        return {
          value: textUs === null || binaryUs === null ? null : round(textUs / binaryUs),
          ...(compared.length > 0 ? microsecondsOf(compared) : { n: 0, p50: null, p99: null }),
          detail: { timesAreOf: 'bytes at 10 MB', points, node: process.versions.node },
        };
      } finally {
        await raw.stop();
      }
    });
  },
};

export const PAYLOAD_BENCHMARKS: readonly Benchmark[] = [payload];

type Times =
  | { readonly type: 'times'; readonly ms: readonly number[] }
  | { readonly type: 'refused'; readonly reason: string };

function microseconds(times: Times): number | null {
  return times.type === 'times' ? round(median(times.ms) * 1000, 1) : null;
}

/** What is too large for a frame is refused by name: that is a point of the curve too. */
async function timesOrReason(call: () => Promise<unknown>, limitMs: number): Promise<Times> {
  try {
    return { type: 'times', ms: await timesWithin(call, limitMs) };
  } catch (error) {
    return { type: 'refused', reason: String(error).slice(0, 200) };
  }
}

async function timesWithin(call: () => Promise<unknown>, limitMs: number): Promise<number[]> {
  await call();
  const found: number[] = [];
  const beganMs = performance.now();
  while (found.length < CALLS_MIN || performance.now() - beganMs < limitMs) {
    const callMs = performance.now();
    await call();
    found.push(performance.now() - callMs);
    if (found.length >= CALLS_MAX) break;
  }
  return found;
}
