// How is a process really started and signalled? The only file, with the interpreter probe, that uses child_process.
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

import type { KillSignal, SpawnedProcess, Spawner } from './launcher.ts';

/** Real processes, each the leader of its own session and process group, without a shell, with stdin from nowhere unless it is a wire. */
export const systemSpawner: Spawner = {
  spawn: (request, listener) => {
    const child = spawn(request.command, [...request.args], {
      cwd: request.cwd,
      env: request.env,
      detached: true,
      shell: false,
      stdio: [request.stdio === 'wire' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
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
      // What the dead leader's group still holds (a grandchild) must not outlive it.
      killGroup(group, 'SIGKILL');
      group = undefined;
      listener({ type: 'exited', status, signal });
    });
    child.once('close', () => {
      listener({ type: 'closed' });
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      // Not there when the process could not be started for lack of descriptors, whatever the types say.
      const pipe = child[stream] as Readable | null | undefined;
      pipe?.on('data', (bytes: Buffer) => {
        listener({ type: 'output', stream, bytes });
      });
      pipe?.on('error', () => {
        // The pipe serves only until the worker's own lanes stand; its end is of no interest.
      });
    }
    return {
      kill: (signal) => {
        killGroup(group, signal);
      },
      notify: (signal) => {
        // Through the child's own handle, which knows whether it has been reaped.
        if (group !== undefined) child.kill(signal);
      },
      ...(request.stdio === 'wire' ? wireOf(child) : {}),
    };
  },
};

type Wire = Required<Pick<SpawnedProcess, 'write' | 'endInput' | 'whenWireEnds'>>;

function wireOf(child: {
  readonly stdin: Writable | null | undefined;
  readonly stdout: Readable | null | undefined;
}): Wire {
  // Not there when the process could not be started, as above.
  const { stdin, stdout } = child;
  const listeners = new Set<() => void>();
  const end = (): void => {
    for (const listener of listeners) listener();
    listeners.clear();
  };
  // EPIPE or ECONNRESET: nobody reads any more. Without a listener the error would end Node.
  stdin?.on('error', end);
  stdout?.once('close', end);
  return {
    write: (bytes) => {
      if (stdin?.writable === true) stdin.write(bytes);
    },
    endInput: () => {
      stdin?.end();
    },
    whenWireEnds: (listener) => {
      listeners.add(listener);
    },
  };
}

function killGroup(group: number | undefined, signal: KillSignal): void {
  if (group === undefined) return;
  try {
    process.kill(-group, signal);
  } catch (error) {
    // ESRCH: nobody is left in the group, which is what was wanted. EPERM: macOS says so of a group of which only zombies are left.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
