// What was asked of `npm run soak`?
import { parseArgs } from 'node:util';

export interface SoakArguments {
  readonly seconds: number;
  readonly seed: number;
  /** Nothing on stdout but the last line. */
  readonly isJson: boolean;
}

const SECONDS = 60;
const SECONDS_MIN = 3;
const SEED_MAX = 1_000_000;

/** @throws TypeError saying what is wrong. */
export function readArguments(argv: readonly string[], chance: () => number): SoakArguments {
  const { values } = parseArgs({
    // npm hands on what stands between two `--` as it is.
    args: argv.filter((argument) => argument !== '--'),
    options: {
      seconds: { type: 'string', default: String(SECONDS) },
      seed: { type: 'string', default: String(Math.floor(chance() * SEED_MAX)) },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    seconds: numberOf('seconds', values.seconds, SECONDS_MIN),
    seed: numberOf('seed', values.seed, 0),
    isJson: values.json,
  };
}

function numberOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`--${name} must be a whole number, at least ${least}; found ${text}`);
}
