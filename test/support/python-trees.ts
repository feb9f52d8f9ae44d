// How does a test grow a supervision tree with real Python workers in it, and see what they leave behind?
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';

import {
  call,
  monitor,
  pythonWorker,
  startSupervisor,
  System,
  type ActorRef,
  type ChildSpec,
  type ExitReason,
  type SupervisorFlags,
  type SupervisorHandle,
} from '../../src/otp.ts';
import { fixture, isAlive, PYTHON, until } from './real-runtime.ts';

const SOON_MS = 5_000;

/** One test's world. After the test its trees are stopped, and it must have left no process and no folder. */
export interface PythonTrees {
  readonly system: System;
  /** Where the sockets' folders are made. */
  readonly folder: string;
  /** All processes that were started. */
  readonly pids: ReadonlySet<number>;
  readonly tree: (flags: SupervisorFlags) => Promise<SupervisorHandle>;
  /** The next incarnation of a child, once it is ready. */
  readonly nextReady: (at: string, epoch: number) => Promise<void>;
  /** Until the socket of the workers is closed and its folder gone. */
  readonly folderIsEmpty: () => Promise<unknown>;
}

/** Set up before each test of a file, checked after each. */
export function pythonTrees(): () => PythonTrees {
  let now: PythonTrees;
  const sups: SupervisorHandle[] = [];
  const tmp = process.env['TMPDIR'];

  beforeEach(() => {
    const folder = mkdtempSync(path.join(tmpdir(), 'cad-otp-'));
    process.env['TMPDIR'] = folder;
    const system = new System();
    const pids = new Set<number>();
    system.on('child.launched', ({ pid }) => pids.add(pid));
    now = {
      ...{ system, folder, pids },
      tree: async (flags) => {
        const sup = await startSupervisor(flags, { system });
        sups.push(sup);
        return sup;
      },
      nextReady: (at, epoch) => nextReady(system, at, epoch),
      folderIsEmpty: () => until(() => readdirSync(folder).length === 0, SOON_MS),
    };
  });

  afterEach(async () => {
    for (const sup of sups.splice(0)) await sup.stop();
    await now.folderIsEmpty();
    expect([...now.pids].filter(isAlive)).toEqual([]);
    // Nor does anything of theirs keep this process alive.
    const held = ['ProcessWrap', 'PipeServerWrap'];
    const isFree = (): boolean =>
      !process.getActiveResourcesInfo().some((one) => held.includes(one));
    await until(isFree, SOON_MS);
    if (tmp === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = tmp;
    rmSync(now.folder, { recursive: true, force: true });
  });

  return () => now;
}

function nextReady(system: System, at: string, epoch: number): Promise<void> {
  return new Promise((resolve) => {
    const end = system.on('child.ready', (event) => {
      if (event.path !== at || event.epoch !== epoch) return;
      end();
      // Its supervisor hears of it in the same turn, perhaps after us.
      setImmediate(resolve);
    });
  });
}

/** A worker of the echo bridge. */
export const echo = (more: Partial<ChildSpec> = {}): ChildSpec => ({
  id: 'echo',
  start: pythonWorker({ script: fixture('echo_bridge.py'), python: PYTHON }),
  ...more,
});

export async function refOf(sup: SupervisorHandle, id: string): Promise<ActorRef> {
  const { child } = await sup.whichChild(id);
  if (child === undefined || child === 'restarting') throw new Error(`${id} is ${child ?? 'down'}`);
  return child;
}

export function pidOf(ref: ActorRef): Promise<number> {
  return call<number>(ref, { type: 'pid' });
}

export function endOf(ref: ActorRef): Promise<ExitReason> {
  return new Promise((resolve) => {
    monitor(ref, ({ reason }) => resolve(reason));
  });
}
