// What does the operating system tell of a process? Asked of real processes, and of lines that are hard to read.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import {
  linuxHost,
  parseAuxiliaryVector,
  parseControlGroup,
  parseOomKills,
  parseProcessStat,
  systemHost,
} from '../../../actors/port/host.ts';
import { until } from '../../support/processes.ts';

const UNITS = { pageBytes: 4_096, ticksPerSecond: 100 };
const LINE =
  '4711 (python3) S 4700 4711 4711 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 3 0 98765 1000000 256 18446744073709551615 1 1\n';
const onLinux = describe.skipIf(process.platform !== 'linux');

describe('a line of /proc/<pid>/stat', () => {
  it('gives every field in our units', () => {
    expect(parseProcessStat(LINE, UNITS)).toEqual({
      state: 'sleeping',
      cpuMs: 2_000,
      startTicks: 98_765,
      parentPid: 4_700,
      groupId: 4_711,
      sessionId: 4_711,
      threads: 3,
      rssBytes: 1_048_576,
    });
  });

  it('is not misread when the program calls itself like the rest of a line', () => {
    const line = LINE.replace('python3', ') Z 1 1 1 (');
    expect(parseProcessStat(line, UNITS)).toEqual(parseProcessStat(LINE, UNITS));
  });

  it.each([
    ['R', 'running'],
    ['D', 'uninterruptible'],
    ['T', 'stopped'],
    ['t', 'stopped'],
    ['Z', 'zombie'],
    ['I', 'other'],
  ])('knows the state %s', (letter, state) => {
    expect(parseProcessStat(LINE.replace(') S', `) ${letter}`), UNITS)?.state).toBe(state);
  });

  it.each(['', 'nothing', '1 (a) S 1 2', LINE.replace('98765', '-')])(
    'that is none tells nothing: %j',
    (line) => expect(parseProcessStat(line, UNITS)).toBeUndefined(),
  );
});

describe('the auxiliary vector', () => {
  it('names page and tick, and what it does not name is the usual', () => {
    const words = [6n, 16_384n, 17n, 250n, 0n, 0n];
    const bytes = Buffer.from(BigUint64Array.from(words).buffer);
    expect(parseAuxiliaryVector(bytes, 8)).toEqual({ pageBytes: 16_384, ticksPerSecond: 250 });
    const narrow = Buffer.from(Uint32Array.from([6, 8_192]).buffer);
    expect(parseAuxiliaryVector(narrow, 4)).toEqual({ pageBytes: 8_192, ticksPerSecond: 100 });
    expect(parseAuxiliaryVector(Buffer.alloc(3), 8)).toEqual(UNITS);
  });
});

describe('what the kernel has killed for want of memory', () => {
  it.each([
    ['a control group', 'low 0\nhigh 2\nmax 5\noom 3\noom_kill 12\noom_group_kill 1\n', 12],
    ['the machine', 'nr_free_pages 9\noom_kill 0\nunevictable 4\n', 0],
    ['a kernel that does not count it', 'low 0\noom 3\nmy_oom_kill 4\n', undefined],
  ])('is what %s has counted', (_what, text, expected) => {
    expect(parseOomKills(text)).toBe(expected);
  });

  it.each([
    ['of a container', '0::/\n', '/sys/fs/cgroup'],
    [
      'of a service',
      '4:memory:/a\n0::/system.slice/a.service\n',
      '/sys/fs/cgroup/system.slice/a.service',
    ],
    ['of version 1 only', '4:memory:/a\n', undefined],
  ])('is in the folder of the control group: %s', (_what, text, expected) => {
    expect(parseControlGroup(text)).toBe(expected);
  });
});

onLinux('a process on this machine', () => {
  it('is ourselves, with our parent, our memory and our open files', () => {
    const reading = systemHost.readProcess(process.pid);
    expect(reading).toMatchObject({ parentPid: process.ppid });
    const rssBytes = process.memoryUsage.rss();
    expect(reading!.rssBytes).toBeGreaterThan(rssBytes / 2);
    expect(reading!.rssBytes).toBeLessThan(rssBytes * 2);
    const { user, system } = process.cpuUsage();
    expect(reading!.cpuMs).toBeGreaterThan((user + system) / 1_000 - 1_000);
    expect(reading!.cpuMs).toBeLessThan((user + system) / 1_000 + 1_000);
    expect(systemHost.countOpenFiles(process.pid)).toBeGreaterThan(2);
  });

  it('leads its own session, can be stopped, becomes a zombie or nothing, and is the same by its start', async () => {
    const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    try {
      await once(child, 'spawn');
      const pid = child.pid!;
      const before = linuxHost.readProcess(pid)!;
      expect(before).toMatchObject({ parentPid: process.pid, groupId: pid, sessionId: pid });
      child.kill('SIGSTOP');
      await until(() => linuxHost.readProcess(pid)?.state === 'stopped', 5_000);
      expect(linuxHost.readProcess(pid)?.startTicks).toBe(before.startTicks);
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(linuxHost.readProcess(pid)).toBeUndefined();
      expect(linuxHost.countOpenFiles(pid)).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
    }
  });
});

onLinux('this machine', () => {
  it('tells how many processes it has killed for want of memory', () => {
    expect(linuxHost.countOomKills?.()).toBeGreaterThanOrEqual(0);
  });
});
