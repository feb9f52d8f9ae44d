// Does a ledger say who is left of a run, whatever happens while it is written, and is it never believed too much?
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Bus } from '../../../actors/ground/bus.ts';
import { LIMITS } from '../../../actors/ground/limits.ts';
import type { GuardedGroup } from '../../../actors/port/guardian.ts';
import { systemHost } from '../../../actors/port/host.ts';
import {
  judgeRun,
  Ledger,
  LEDGER_NAME,
  parseLedger,
  placeHere,
  type LedgerHeader,
} from '../../../actors/port/ledger.ts';

const HEADER: LedgerHeader = {
  format: 'caduceus-run/1',
  token: 'token',
  node: { pid: 4_711, startTicks: 99 },
  hostName: 'here',
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
};
const HEAD = JSON.stringify(HEADER);
const onLinux = describe.skipIf(process.platform !== 'linux');

const group = (serial: number): GuardedGroup => ({
  pid: 100 + serial,
  startTicks: serial,
  incarnation: `token/a/1/${serial}`,
});

describe('a ledger that is read', () => {
  it('names those that were launched and had not ended', () => {
    const lines = [
      HEAD,
      '["launched",100,5,"token/a/1/1"]',
      '["launched",101,6,"token/b/1/2"]',
      '["ended",100,5,"token/a/1/1"]',
    ];
    expect(parseLedger(`${lines.join('\n')}\n`)).toEqual({
      header: HEADER,
      living: [{ pid: 101, startTicks: 6, incarnation: 'token/b/1/2' }],
    });
  });

  it('may end in the middle of a line, where its Node died', () => {
    const text = `${HEAD}\n["launched",100,5,"token/a/1/1"]\n["launched",101,6,"tok`;
    expect(parseLedger(text)?.living).toHaveLength(1);
  });

  it.each([
    ['nothing', ''],
    ['a torn header', HEAD],
    ['another format', `${HEAD.replace('run/1', 'run/2')}\n`],
    ['no token', `${HEAD.replace('"token":"token"', '"token":""')}\n`],
    ['no Node', `${HEAD.replace('4711', '0')}\n`],
    ['a damaged line', `${HEAD}\n["launched",1\n["launched",100,5,"x"]\n`],
    ['an unknown line', `${HEAD}\n["moved",100,5,"x"]\n`],
    ['a group that is everybody', `${HEAD}\n["launched",-1,5,"x"]\n`],
    ['what is no JSON', `\u0000\n`],
  ])('is none of ours with %s', (_what, text) => {
    expect(parseLedger(text)).toBeUndefined();
  });
});

describe('a run is judged', () => {
  const here = { hostName: 'here', bootId: 'boot', pidNamespace: 'pid:[1]' };

  it('dead when no process has its Node’s pid, or one that began at another time', () => {
    expect(judgeRun(HEADER, here, 'none')).toBe('dead');
    expect(judgeRun(HEADER, here, 100)).toBe('dead');
  });

  it('alive when its Node is there', () => {
    expect(judgeRun(HEADER, here, 99)).toBe('leave');
  });

  it('alive when nobody can tell', () => {
    expect(judgeRun(HEADER, here, undefined)).toBe('leave');
    const unknown = { ...HEADER, node: { pid: 4_711, startTicks: 0 } };
    expect(judgeRun(unknown, here, 100)).toBe('leave');
  });

  it('by nobody of another namespace or another machine', () => {
    expect(judgeRun(HEADER, { ...here, pidNamespace: 'pid:[2]' }, 'none')).toBe('leave');
    const elsewhere = { ...here, hostName: 'there' };
    expect(judgeRun(HEADER, elsewhere, 'none')).toBe('leave');
    expect(judgeRun(HEADER, { ...elsewhere, bootId: 'other' }, 'none')).toBe('leave');
  });

  it('as one of an earlier boot, whatever its Node’s pid means now', () => {
    expect(judgeRun(HEADER, { ...here, bootId: 'other' }, 99)).toBe('other_boot');
  });
});

onLinux('a ledger that is written', () => {
  let folder: string;
  let failures: Error[];
  let bus: Bus;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
    failures = [];
    bus = new Bus();
    bus.on('ledger.failed', ({ error }) => failures.push(error));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (): Ledger => Ledger.open(folder, 'token', { bus, host: systemHost })!;
  const read = () => parseLedger(readFileSync(path.join(folder, LEDGER_NAME), 'utf8'))!;

  it('says at once what it is told, who tells it, and where', () => {
    const ledger = open();
    ledger.launched(group(1));
    ledger.launched(group(2));
    ledger.ended(group(1));
    expect(read().living).toEqual([group(2)]);
    expect(read().header).toMatchObject({ ...placeHere(), token: 'token' });
    expect(read().header.node).toEqual({
      pid: process.pid,
      startTicks: systemHost.readProcess(process.pid)!.startTicks,
    });
    ledger.close();
  });

  it('is judged to be of a living run, by its own Node', () => {
    open().close();
    const { startTicks } = systemHost.readProcess(process.pid)!;
    expect(judgeRun(read().header, placeHere()!, startTicks)).toBe('leave');
  });

  it('is for this user only, and alone in its folder', () => {
    const ledger = open();
    expect(statSync(path.join(folder, LEDGER_NAME)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual([LEDGER_NAME]);
    ledger.close();
  });

  it('does not grow with the number of restarts', () => {
    const ledger = open();
    ledger.launched(group(0));
    for (let serial = 1; serial < 2 * LIMITS.ledgerLinesMin; serial += 1) {
      ledger.launched(group(serial));
      ledger.ended(group(serial));
    }
    const lines = readFileSync(path.join(folder, LEDGER_NAME), 'utf8').split('\n').length;
    expect(lines).toBeLessThan(LIMITS.ledgerLinesMin + 2 * LIMITS.ledgerLinesPerLiving);
    expect(read().living).toEqual([group(0)]);
    expect(failures).toEqual([]);
    ledger.close();
  });

  it('that cannot be written harms nobody, and is told once', () => {
    rmSync(folder, { recursive: true });
    const ledger = open();
    ledger.launched(group(1));
    ledger.ended(group(1));
    ledger.close();
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('ENOENT') as string,
    ]);
  });
});
