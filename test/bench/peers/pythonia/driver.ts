// How is Python called with pythonia? A function of a module, through its proxy; in its fast mode, and with a text, which needs no second trip.
import { join } from 'node:path';

import type { Peer } from '../peer.ts';

interface Module {
  readonly echo: (text: string) => Promise<string>;
}

interface Python {
  (file: string): Promise<Module>;
  readonly exit: () => void;
  readonly setFastMode: (isFast: boolean) => unknown;
}

interface Package {
  readonly default: {
    readonly python: Python;
    readonly com: { readonly proc: { readonly pid?: number } };
  };
}

export const PYTHONIA: Peer = {
  name: 'pythonia',
  what: 'pythonia, a function called through its proxy',
  must: 1,
  aim: 1,
  packages: { node: ['pythonia'], python: [] },
  start: async ({ python: executable, folder, load }) => {
    // It starts its process when it is loaded, with the interpreter that this variable names.
    process.env['PYTHON_BIN'] = executable;
    const { python, com } = ((await load('pythonia')) as Package).default;
    const module = await python(join(folder, 'echo.py'));
    await python.setFastMode(true);
    return {
      pid: com.proc.pid,
      echo: (text) => module.echo(text),
      stop: async () => {
        python.exit();
      },
    };
  },
};
