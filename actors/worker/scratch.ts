// Where does one incarnation of a worker keep its files? In a folder of its own under that of the run's socket.
import { mkdirSync, rm } from 'node:fs';

import type { Scratch } from './worker-types.ts';

/** Make the folder `name`. Only this user may look into it. @param transport whose socket's folder it lies in. */
export function scratchIn(
  transport: { readonly pathOf: (name: string) => string },
  name: string,
): Scratch {
  const path = transport.pathOf(name);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return {
    path,
    remove: () => {
      // Best effort: what is left goes with the folder of the socket.
      rm(path, { recursive: true, force: true }, () => undefined);
    },
  };
}
