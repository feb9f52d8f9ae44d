// Where do the Python sources lie that belong to this very copy of the package?
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds `package.json`: one floor up from the sources, two from the build. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error('package.json of caduceus was not found above its own code');
    folder = parent;
  }
  return folder;
}

/** Put first on every worker's path: that copy of the Python package wins over any installed one. */
export const PYTHON_SOURCES = join(packageRoot(), 'python', 'src');

/** Starts the worker loop without the working directory on `sys.path`, where a user's `json.py` would shadow the library. */
export const WORKER_BOOT = bootOf('worker');

/** Starts a zygote in the same way. */
export const ZYGOTE_BOOT = bootOf('_zygote');

/** Rewrites a bridge, and prints what becomes of it. */
export const MIGRATE_BOOT = bootOf('_migrate');

/** Says what an interpreter is and which packages it has; a file of its own, since it runs on Pythons that are too old for the package. */
export const PROBE_SCRIPT = join(PYTHON_SOURCES, 'caduceus', '_probe_start.py');

function bootOf(module: string): string {
  return `import sys; sys.path[0:1] = [sys.argv[1]]; sys.argv[1:2] = []; from caduceus.${module} import main; main()`;
}
