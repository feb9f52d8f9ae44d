// With which arguments is Python started for a bridge? By its protocol.
import type { SpawnRequest } from '../actors/port/launcher.ts';
import { PYTHON_SOURCES, WORKER_BOOT } from '../actors/port/package-root.ts';

type PythonCommand = Pick<SpawnRequest, 'args' | 'stdio'>;

/** Our own worker loop, which loads the bridge. */
export const WORKER_COMMAND: PythonCommand = { args: ['-c', WORKER_BOOT, PYTHON_SOURCES] };

/** The script itself, which finds its modules beside it and nothing of ours on its path. */
export function legacyCommand(script: string): PythonCommand {
  return { args: [script], stdio: 'wire' };
}
