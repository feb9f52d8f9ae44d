// What was asked of `npm run bench`?
import { parseArgs } from 'node:util';

import type { Thoroughness } from './row.ts';

export interface BenchArguments {
  /** Rows whose id begins so. */
  readonly prefix: string;
  readonly isJson: boolean;
  /** Write what was measured, and its figures, below docs/figures. */
  readonly isStored: boolean;
  /** Say where the time of a call goes, in place of measuring rows. */
  readonly isProfile: boolean;
  readonly thoroughness: Thoroughness;
}

/** @throws TypeError saying what is wrong. */
export function readArguments(argv: readonly string[]): BenchArguments {
  // npm hands on what stands between two `--` as it is.
  const args = argv.filter((argument) => argument !== '--');
  const { values, positionals } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      store: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (positionals.length > 1) throw new TypeError('at most one prefix of row ids is taken');
  if (values.profile && (values.json || values.store)) {
    throw new TypeError('--profile prints a table: --json and --store do not go with it');
  }
  if (values.store && values.quick) {
    throw new TypeError('--quick is for a look: what is stored is measured in full');
  }
  return {
    prefix: positionals[0] ?? '',
    isJson: values.json,
    isStored: values.store,
    isProfile: values.profile,
    thoroughness: values.quick ? 'quick' : 'full',
  };
}
