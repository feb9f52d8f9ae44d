// Does a figure show what the rows say?
import { describe, expect, it } from 'vitest';

import { drawings } from './drawings.ts';
import { apart, barChart, lineChart, ticksOf } from './plot.ts';
import type { Row } from './row.ts';

function row(given: Partial<Row> & Pick<Row, 'id'>): Row {
  const { id, ...rest } = given;
  const empty = { value: 1, unit: '×', must: null, aim: null, n: 1, p50: 1, p99: 1, detail: {} };
  return { id, ...empty, ...rest };
}

function widths(svg: string): number[] {
  return [...svg.matchAll(/<rect class="(?:bar|over)"[^>]* width="([\d.]+)"/gu)].map((match) =>
    Number(match[1]),
  );
}

describe('the bars of the limits', () => {
  it('are as long as the share of the limit that is used, whichever direction is better', () => {
    const rows = [
      row({ id: 'less', value: 0.9, must: 1.8, aim: 1.3 }),
      row({ id: 'more', value: 1, must: 0.5, aim: 0.9 }),
      row({ id: 'over', value: 4, must: 1.8, aim: 1.3 }),
    ];
    const [[name, svg] = []] = drawings(rows, 'source');
    expect(name).toBe('limits');
    const [less, more, over] = widths(svg!);
    expect(less).toBe(more);
    // Cut at twice the limit.
    expect(over! / less!).toBeCloseTo(4, 1);
    expect(svg!.match(/class="over"/gu)).toHaveLength(1);
  });

  it('leave out what has no limit, was not measured, or is a peer', () => {
    const rows = [
      row({ id: 'curve.payload' }),
      row({ id: 'gone', value: null, must: 1, aim: 1 }),
      row({ id: 'peers.echo.grpc', value: 4, must: 1, aim: 1, detail: { peerP50: 400 } }),
    ];
    expect(drawings(rows, 'source').map(([name]) => name)).toEqual(['peers']);
  });

  it('that are far too long are cut, and their notes stay', () => {
    const bar = (value: number) => ({ label: 'x', value, note: `${value} ×` });
    const chart = { title: 't', subtitle: 's', lineLabel: 'l', source: 'o', isLimit: true };
    const svg = barChart({ ...chart, longest: 8, bars: [bar(8), bar(80)] });
    const [eight, eighty] = widths(svg);
    expect(svg.match(/<path/gu)).toHaveLength(1);
    expect(eighty).toBe(eight);
    expect(svg).toContain('80 ×');
  });
});

describe('the lines of a curve', () => {
  const axis = { label: 'l', ticks: 'decimal', format: String } as const;
  const chart = { title: 'a < b', subtitle: 's', x: axis, y: axis, source: 'o' };

  it('go through their points on logarithmic axes', () => {
    const points = [1, 10, 100, 1_000, 10_000].map((value) => [value, value] as const);
    const svg = lineChart({ ...chart, series: [{ name: 'n', points }] });
    const [, drawn] = /<polyline [^>]*points="([^"]+)"/u.exec(svg) ?? [];
    const xs = drawn!.split(' ').map((pair) => Number(pair.split(',')[0]));
    const steps = xs.slice(1).map((x, index) => x - xs[index]!);
    for (const step of steps) expect(step).toBeCloseTo(steps[0]!, 0);
  });

  it('leave out what a logarithm does not know, and write text as text', () => {
    const points = [
      [1, 0],
      [1, 2],
      [2, 4],
    ] as const;
    const svg = lineChart({ ...chart, series: [{ name: 'n', points }] });
    expect(svg.match(/<circle/gu)).toHaveLength(2);
    expect(svg).toContain('a &lt; b');
    expect(svg).not.toContain('NaN');
  });

  it.each([
    [1, 256, 'binary', [1, 2, 4, 8, 16, 32, 64, 128, 256]],
    [100, 1e5, 'decimal', [100, 1e3, 1e4, 1e5]],
    [60, 700, 'decimal', [50, 100, 200, 500, 1_000]],
    [55, 55, 'decimal', [50, 100]],
  ] as const)('from %s to %s have %s ticks', (low, high, kind, ticks) => {
    expect(ticksOf(low, high, kind)).toEqual(ticks);
  });

  it('have labels that do not lie on each other, in the order of their ends', () => {
    expect(apart([50, 52, 10])).toEqual([50, 66, 10]);
  });
});
