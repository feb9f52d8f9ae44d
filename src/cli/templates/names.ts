// What are the things called that are made for a bridge, each by the habits of its language?
import { UsageError } from '../usage-error.ts';

/** The names of one bridge. */
export interface Names {
  /** As it is configured. */
  readonly bridge: string;
  /** Of its Python class. */
  readonly pythonClass: string;
  /** Of its adapter, as a constant. */
  readonly adapter: string;
  readonly bridgeFile: string;
  /** Without its extension. */
  readonly adapterFile: string;
  readonly testFile: string;
}

const BRIDGE = /^[A-Za-z][\w-]*$/u;

/** @throws {@link UsageError} when no bridge can be called so. */
export function namesOf(bridge: string): Names {
  if (!BRIDGE.test(bridge))
    throw new UsageError(`${bridge} is no bridge name: letters, digits, - and _, a letter first`);
  const words = bridge
    .replace(/([a-z0-9])([A-Z])/gu, '$1_$2')
    .split(/[-_]+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
  const pascal = words.map(capitalized).join('');
  return {
    bridge,
    pythonClass: `${pascal}Bridge`,
    adapter: `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}Adapter`,
    bridgeFile: `${words.join('_')}_bridge.py`,
    adapterFile: `${words.join('-')}-adapter`,
    testFile: `${words.join('-')}.test.mjs`,
  };
}

/** As the key of an object in JavaScript. */
export function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/u.test(name) ? name : `'${name}'`;
}

/** `text_to_speech` or `text-to-speech` as `TextToSpeech`. */
export function pascalOf(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/u)
    .filter((word) => word !== '')
    .map(capitalized)
    .join('');
}

function capitalized(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
