// How is a module of the user's own loaded, TypeScript or JavaScript, whether or not this package is installed beside it?
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { errorFrom } from '../actors/ground/error-from.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';

const TYPESCRIPT = ['.ts', '.mts', '.cts'];

/** By what a module imports them, and where they are in here, without the extension of this build. */
const ENTRIES = {
  caduceus: './index',
  'caduceus/otp': './otp',
  'caduceus/testing': './testing/index',
} as const;

/**
 * What the module exports.
 * @param file its absolute path.
 * @throws {@link InvalidConfigError} naming the file, with the module's own error as `cause`.
 */
export async function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await load(file)) as Readonly<Record<string, unknown>>;
  } catch (thrown) {
    const cause = errorFrom(thrown);
    const [line = ''] = cause.message.split('\n');
    const refusal = new InvalidConfigError(file, `cannot be loaded: ${cause.name}: ${line.trim()}`);
    refusal.cause = cause;
    throw refusal;
  }
}

async function load(file: string): Promise<unknown> {
  // Node's own way where it can: then a stack trace shows the file as it stands.
  if (!TYPESCRIPT.includes(extname(file)) && isInstalledFor(file)) {
    return import(pathToFileURL(file).href);
  }
  // Only now: most programs are configured in code.
  const { createJiti } = await import('jiti');
  // `moduleCache: false`: a file that was changed is read again. `fsCache: false`: nothing is left behind.
  const jiti = createJiti(file, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: await ownModules(),
  });
  return jiti.import(file);
}

/** Whether `import 'caduceus'` finds a package from there. It does not for `npx caduceus` in an empty folder. */
function isInstalledFor(file: string): boolean {
  try {
    createRequire(file).resolve('caduceus/package.json');
    return true;
  } catch {
    return false;
  }
}

/** This very copy of the package: what the file makes with it is of the same classes. */
async function ownModules(): Promise<Record<string, unknown>> {
  const extension = extname(fileURLToPath(import.meta.url));
  const pairs = Object.entries(ENTRIES).map(async ([name, place]) => {
    // By its address: this file is below them, and only a user's module asks for them.
    const url = new URL(`${place}${extension}`, import.meta.url).href;
    return [name, (await import(/* @vite-ignore */ url)) as unknown] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}
