// Which figures do the rows of a run make?
import { barChart, lineChart, type Bar, type Series } from './plot.ts';
import { isLessBetter, round, type Row } from './row.ts';

type Point = Readonly<Record<string, unknown>>;

/** Name and SVG of each figure that the rows hold points for. */
export function drawings(
  rows: readonly Row[],
  source: string,
): readonly (readonly [name: string, svg: string])[] {
  const found: (readonly [string, string])[] = [];
  const limits = rows.flatMap(limitBar);
  if (limits.length > 0) found.push(['limits', drawLimits(limits, source)]);
  const peers = rows.flatMap(peerBar);
  if (peers.length > 0) found.push(['peers', drawPeers(peers, source)]);
  for (const [id, draw] of Object.entries(CURVES)) {
    const points = pointsOf(rows.find((row) => row.id === id));
    if (points.length > 0) found.push([id.replace('.', '-'), draw(points, source)]);
  }
  return found;
}

/** How much of its limit a row uses: below 1 is within it, whichever direction is better. */
function limitBar({ id, value, unit, must, aim }: Row): readonly Bar[] {
  if (value === null || must === null || aim === null || id.startsWith('peers.')) return [];
  const isLess = isLessBetter(must, aim);
  const used = (figure: number) => (isLess ? figure / must : must / figure);
  const sign = isLess ? '≤' : '≥';
  return [
    {
      label: id,
      value: used(value),
      aim: used(aim),
      note: `${value} ${unit}, must ${sign} ${must}`,
    },
  ];
}

function peerBar({ id, value, p50, detail }: Row): readonly Bar[] {
  const peerP50 = detail['peerP50'];
  if (value === null || !id.startsWith('peers.') || typeof peerP50 !== 'number') return [];
  const note = `${value} ×: ${round(peerP50, 0)} µs, ours ${round(p50 ?? 0, 0)} µs`;
  return [{ label: id.replace('peers.echo.', ''), value, note }];
}

function drawLimits(bars: readonly Bar[], source: string): string {
  return barChart({
    title: 'How much of its limit each row uses',
    subtitle: 'A bar that ends left of the line is within its limit; the dashed mark is the goal',
    lineLabel: 'limit',
    longest: 2,
    isLimit: true,
    bars,
    source,
  });
}

function drawPeers(bars: readonly Bar[], source: string): string {
  return barChart({
    title: 'One small echo: how long others take, ours being 1',
    subtitle:
      'Median of one call at a time, each against ours in the same run; beyond the line is slower',
    lineLabel: 'ours',
    longest: 12,
    isLimit: false,
    bars,
    source,
  });
}

const CURVES: Readonly<Record<string, (points: readonly Point[], source: string) => string>> = {
  'curve.payload': (points, source) =>
    lineChart({
      title: 'An echo, by the size of its payload',
      subtitle: 'Median time of one call at a time, to Python and back',
      x: { label: 'payload, each way', ticks: 'decimal', format: bytesText },
      y: { label: 'time', ticks: 'decimal', format: timeText },
      series: [
        series('as bytes', points, 'bytes', 'binaryUs'),
        series('as JSON text', points, 'bytes', 'textUs'),
        series('raw socket echo', points, 'bytes', 'rawUs'),
      ],
      source,
    }),
  'curve.concurrency': (points, source) =>
    lineChart({
      title: 'Calls per second on one worker, by callers',
      subtitle: 'An echo of 100 characters; the worker is written up to 32 calls ahead',
      x: { label: 'callers, each with one call under way', ticks: 'binary', format: countText },
      y: { label: 'calls/s', ticks: 'decimal', format: countText },
      series: [
        series('ours', points, 'callers', 'callsPerSecond'),
        series('raw framed echo', points, 'callers', 'rawCallsPerSecond'),
      ],
      source,
    }),
  'curve.workers': (points, source) =>
    lineChart({
      title: 'Calls per second, by workers',
      subtitle:
        'One caller for each worker; calls that wait 10 ms in Python, and calls that only come back',
      x: { label: 'workers', ticks: 'binary', format: countText },
      y: { label: 'calls/s', ticks: 'decimal', format: countText },
      series: [
        series('calls that wait', points, 'workers', 'callsPerSecond'),
        series('echoes', points, 'workers', 'echoesPerSecond'),
      ],
      source,
    }),
  'curve.memory': (points, source) =>
    lineChart({
      title: 'Memory of one worker with DSPy, by workers',
      subtitle: 'Proportional set size after a call: pages that are shared count in part',
      x: { label: 'workers', ticks: 'binary', format: countText },
      y: { label: 'MiB per worker', ticks: 'decimal', format: countText },
      series: [
        series('from a zygote', points, 'workers', 'forkedMiB'),
        series('spawned', points, 'workers', 'spawnedMiB'),
      ],
      source,
    }),
};

function pointsOf(row: Row | undefined): readonly Point[] {
  const points = row?.detail['points'];
  return Array.isArray(points) ? (points as readonly Point[]) : [];
}

function series(name: string, points: readonly Point[], x: string, y: string): Series {
  return {
    name,
    points: points.flatMap((point) => {
      const [a, b] = [point[x], point[y]];
      return typeof a === 'number' && typeof b === 'number' ? [[a, b] as const] : [];
    }),
  };
}

function bytesText(bytes: number): string {
  if (bytes >= 1e6) return `${round(bytes / 1e6)} MB`;
  return bytes >= 1e3 ? `${round(bytes / 1e3)} kB` : `${round(bytes)} B`;
}

function timeText(us: number): string {
  if (us >= 1e6) return `${round(us / 1e6)} s`;
  return us >= 1e3 ? `${round(us / 1e3)} ms` : `${round(us)} µs`;
}

function countText(count: number): string {
  return count >= 1e4 ? `${round(count / 1e3, 1)}k` : String(round(count, 1));
}
