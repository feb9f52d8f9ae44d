// How is a guardian really started? With `spawn.ts` and the interpreter probe the only file that uses child_process.
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';

import { exitReasonOf } from '../ground/exit-reason.ts';
import { workerEnv } from './env.ts';
import type { SpawnGuardian } from './guardian.ts';
import { PYTHON_SOURCES } from './package-root.ts';

const PROGRAM = join(PYTHON_SOURCES, 'caduceus', '_guardian.py');

/**
 * A bare Python in a session of its own. It does not keep Node running.
 * @param command a Python, 3.8 or newer.
 * @param token of the run.
 */
export function guardianSpawner(command: string, token: string): SpawnGuardian {
  return (onExit) => {
    const child = spawn(command, ['-I', '-S', PROGRAM], {
      // It is to be in nobody's way, and what ends Node's group or terminal is not to end it.
      cwd: '/',
      detached: true,
      env: {
        ...workerEnv(process.env, {}),
        CADUCEUS_GUARDIAN: token,
        CADUCEUS_GUARDIAN_NODE: String(process.pid),
      },
      shell: false,
      stdio: ['pipe', 'ignore', 'ignore'],
      windowsHide: true,
    });
    // Not there when the process could not be started for lack of descriptors, whatever the types say.
    const input = child.stdin as Socket | null | undefined;
    const { pid } = child;
    child.once('error', (error) => {
      if (pid === undefined) onExit({ type: 'error', error });
    });
    child.once('exit', (status, signal) => onExit(exitReasonOf(status, signal)));
    input?.on('error', () => {
      // It has ended: 'exit' tells.
    });
    child.unref();
    input?.unref();
    return {
      pid,
      get backlogBytes() {
        return input?.writableLength ?? 0;
      },
      tell: (line) => {
        if (input?.writable === true) input.write(line);
      },
      end: () => {
        child.ref();
        input?.end();
      },
      kill: () => {
        child.kill('SIGKILL');
      },
    };
  };
}
