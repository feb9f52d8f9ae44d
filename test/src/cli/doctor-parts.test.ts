// What does the doctor make of which facts? Its verdicts and its plans, without a look at this machine.
import { describe, expect, it } from 'vitest';

import { lackProblem, preloadAdvice } from '../../../src/cli/doctor-bridges.ts';
import type {
  BridgeFinding,
  InterpreterFinding,
  LimitsFinding,
  SocketFolderFinding,
} from '../../../src/cli/doctor-findings.ts';
import { installPlan } from '../../../src/cli/doctor-install.ts';
import {
  mountOptionsOf,
  socketProblems,
  softLimitOf,
  systemWarnings,
} from '../../../src/cli/doctor-system.ts';
import type { ImportTrial, PackageFacts } from '../../../src/registry/probe.ts';

const TRIAL: ImportTrial = {
  ...{ error: null, importMs: 500, threads: 1, hazard: null, memoryBytes: 64 * 1024 * 1024 },
};
const PACKAGE: PackageFacts = {
  ...{ ...TRIAL, requirement: 'torch>=2', name: 'torch', found: '2.13.0', isSatisfied: true },
  modules: ['torch'],
};
const BRIDGE: BridgeFinding = {
  ...{ name: 'mine', isWanted: true, packages: [PACKAGE], preload: ['mine.preload'], trial: TRIAL },
};
const ABSENT: PackageFacts = { ...PACKAGE, found: null, isSatisfied: false, importMs: null };
const PYTHON: InterpreterFinding = {
  ...{ command: '/v/bin/python', executable: '/v/bin/python', because: '.venv of this folder' },
  ...{ state: 'chosen', version: '3.11.7', isVenv: true, why: '' },
};

describe('what a zygote should import', () => {
  it('is what was tried, with what it saves', () => {
    expect(preloadAdvice(BRIDGE)).toBe(
      'preload mine.preload saves each worker 500 ms and shares 64 MB',
    );
  });

  it('is told by the packages where it was not tried', () => {
    const packages = [PACKAGE, { ...PACKAGE, importMs: 70 }, { ...PACKAGE, importMs: null }];
    expect(preloadAdvice({ ...BRIDGE, trial: null, packages })).toBe(
      'preload mine.preload saves each worker about 570 ms',
    );
    const hazard = '2 threads: MainThread, x';
    expect(preloadAdvice({ ...BRIDGE, trial: null, packages: [{ ...PACKAGE, hazard }] })).toBe(
      `after preload mine.preload no fork is safe (torch: ${hazard}): workers are started one by one`,
    );
  });

  it('is nothing after which no fork is safe, or that fails', () => {
    const unsafe = { ...TRIAL, hazard: 'an open connection: descriptor 5' };
    expect(preloadAdvice({ ...BRIDGE, trial: unsafe })).toContain('workers are started one by one');
    const broken = { ...TRIAL, error: 'ImportError: x' };
    expect(preloadAdvice({ ...BRIDGE, trial: broken })).toBe(
      'preload mine.preload fails: ImportError: x',
    );
  });

  it('is nobody’s concern where packages are missing, or no zygote is wanted', () => {
    expect(preloadAdvice({ ...BRIDGE, packages: [ABSENT] })).toBeUndefined();
    expect(preloadAdvice({ ...BRIDGE, preload: [], trial: null })).toBe(
      'workers are started one by one (it names no preload)',
    );
  });
});

describe('what a bridge lacks', () => {
  it('is nothing, or all of it with one command', () => {
    expect(lackProblem(BRIDGE, PYTHON)).toBeUndefined();
    const old = { ...ABSENT, requirement: 'numpy>=2', name: 'numpy', found: '1.26.4' };
    const problem = lackProblem({ ...BRIDGE, packages: [ABSENT, PACKAGE, old] }, PYTHON)!;
    expect(problem.code).toBe('package_missing');
    expect(problem.message).toContain('torch>=2, which is not installed');
    expect(problem.message).toContain('numpy>=2, of which 1.26.4 is installed');
    expect(problem.advice).toBe("Install it: /v/bin/python -m pip install 'torch>=2' 'numpy>=2'");
  });
});

describe('the plan to install', () => {
  const order = { python: '/v/bin/python', lacking: [ABSENT], constraints: undefined, env: {} };
  const wordsOf = (given: Partial<Parameters<typeof installPlan>[0]>) =>
    installPlan({ ...order, ...given }).map(({ ways }) => ways.map(({ args }) => args.join(' ')));

  it('is empty when nothing is lacking', () => {
    expect(installPlan({ ...order, lacking: [] })).toEqual([]);
  });

  it('has uv, and pip where uv fails', () => {
    const numpy = { ...ABSENT, requirement: 'numpy', name: 'numpy' };
    const [ways] = wordsOf({ lacking: [numpy], constraints: '/c.txt' });
    expect(ways).toHaveLength(2);
    expect(ways![0]).toMatch(/-m uv pip install --python \/v\/bin\/python numpy -c \/c\.txt$/u);
    expect(ways![1]).toMatch(/^-m pip .* install --no-input numpy -c \/c\.txt$/u);
  });

  it('has torch first, by pip alone, which prefers a build for the CPU', () => {
    const numpy = { ...ABSENT, requirement: 'numpy', name: 'numpy' };
    const [first, second] = wordsOf({ lacking: [numpy, ABSENT] });
    expect(first).toHaveLength(1);
    expect(first![0]).toMatch(/^-m pip .* install --no-input torch>=2$/u);
    expect(second![0]).toMatch(/numpy torch>=2$/u);
  });

  it.each(['PIP_NO_INDEX', 'PIP_FIND_LINKS', 'PIP_EXTRA_INDEX_URL'])(
    'has pip alone where %s says that packages come from elsewhere',
    (name) => {
      const numpy = { ...ABSENT, requirement: 'numpy', name: 'numpy' };
      const [ways] = wordsOf({ lacking: [numpy], env: { [name]: 'x' } });
      expect(ways).toHaveLength(1);
      expect(ways![0]).toMatch(/^-m pip/u);
    },
  );

  it("tells uv where pip's registry is", () => {
    const numpy = { ...ABSENT, requirement: 'numpy', name: 'numpy' };
    const env = { PIP_INDEX_URL: 'https://x/simple' };
    const [step] = installPlan({ ...order, lacking: [numpy], env });
    expect(step!.ways[0]!.env).toMatchObject({ UV_DEFAULT_INDEX: 'https://x/simple' });
  });

  it('installs anew what is there and cannot be imported', () => {
    const broken = { ...PACKAGE, requirement: 'numpy', name: 'numpy', error: 'ImportError' };
    for (const words of wordsOf({ lacking: [broken] }).flat())
      expect(words).toMatch(/--force-reinstall$/u);
  });
});

describe('the system', () => {
  const MOUNTS = [
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '30 22 0:26 / /tmp rw,nosuid,noexec shared:2 - tmpfs tmpfs rw',
    '31 22 0:27 / /tmpfs rw - tmpfs tmpfs rw',
    '40 30 0:28 / /tmp/inner rw,relatime - tmpfs tmpfs rw',
    '',
  ].join('\n');

  it.each([
    ['/tmp', true],
    ['/tmp/a/b', true],
    ['/tmpfs/a', false],
    ['/tmp/inner/a', false],
    ['/var/tmp', false],
  ])('has %s on a file system that executes nothing: %s', (folder, isNoexec) => {
    expect(mountOptionsOf(MOUNTS, folder).includes('noexec')).toBe(isNoexec);
  });

  it('has limits, or none', () => {
    const limits = [
      'Limit                     Soft Limit           Hard Limit           Units     ',
      'Max processes             unlimited            unlimited            processes ',
      'Max open files            1024                 524288               files     ',
    ].join('\n');
    expect(softLimitOf(limits, 'Max open files')).toBe(1024);
    expect(softLimitOf(limits, 'Max processes')).toBeNull();
    expect(softLimitOf('', 'Max processes')).toBeNull();
  });

  const folder: SocketFolderFinding = {
    ...{ path: '/tmp', socketPathBytes: 20, socketPathBytesMax: 100, error: null, isNoexec: false },
  };
  const limits: LimitsFinding = {
    ...{ openFiles: 65_536, processes: null, cores: 2, memoryBytes: 1, memoryLimitBytes: null },
    sharedMemoryBytes: null,
  };

  it('is well', () => {
    expect(socketProblems(folder)).toEqual([]);
    expect(systemWarnings(folder, limits)).toEqual([]);
  });

  it('is told of what will trouble workers later', () => {
    const tight = {
      ...limits,
      openFiles: 256,
      processes: 100,
      sharedMemoryBytes: 64 * 1024 * 1024,
    };
    const warnings = systemWarnings({ ...folder, isNoexec: true }, tight);
    expect(warnings.map(({ code }) => code)).toEqual([
      ...['noexec', 'few_open_files', 'few_processes', 'little_shared_memory'],
    ]);
    expect(warnings[3]!.message).toContain('/dev/shm has 64 MB');
  });

  it('is in the way where no socket can be made', () => {
    expect(socketProblems({ ...folder, error: 'EACCES' })).toMatchObject([
      { code: 'socket_folder_unusable', message: 'no socket can be made in /tmp: EACCES' },
    ]);
  });
});
