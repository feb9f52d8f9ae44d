// How is a process really started and signalled? The only file, with the interpreter probe, that uses child_process.
import { spawn } from 'node:child_process';

import type { KillSignal, Spawner } from './launcher.ts';

/** Real processes, each the leader of its own session and process group, without a shell, with stdin from nowhere. */
export const systemSpawner: Spawner = {
  spawn: (request, listener) => {
    const child = spawn(request.command, [...request.args], {
      cwd: request.cwd,
      env: request.env,
      detached: true,
      shell: false,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const { pid } = child;
    let group: number | undefined = pid;
    child.once('error', (error) => {
      // Without a pid no process exists and no 'exit' will follow; with one the error is of a signal, and the exit tells the rest.
      if (pid === undefined) listener({ type: 'failed', error });
    });
    child.once('spawn', () => {
      if (pid !== undefined) listener({ type: 'spawned', pid });
    });
    child.once('exit', (status, signal) => {
      // What the dead leader's group still holds (a grandchild) must not outlive it. The number is still ours: the group exists as long as any member does.
      killGroup(group, 'SIGKILL');
      group = undefined;
      listener({ type: 'exited', status, signal });
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (bytes: Buffer) => {
        listener({ type: 'output', stream, bytes });
      });
      child[stream].on('error', () => {
        // The pipe serves only until the worker's own lanes stand; its end is of no interest.
      });
    }
    return {
      kill: (signal) => {
        killGroup(group, signal);
      },
    };
  },
};

function killGroup(group: number | undefined, signal: KillSignal): void {
  if (group === undefined) return;
  try {
    process.kill(-group, signal);
  } catch (error) {
    // ESRCH: nobody is left in the group, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
