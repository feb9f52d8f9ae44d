// What does `npm test` do? It provides what the suites need, runs both, and counts.
// Arguments go to vitest: npm test -- test/actors --bail 1
// `--typescript` leaves the Python suite out, and what only that needs.

import { BRIDGE_SETS } from './python.mjs';
import { setUp } from './setup.mjs';
import { runSuites } from './suites.mjs';

const ONLY_TYPESCRIPT = '--typescript';

const args = process.argv.slice(2);
const isWhole = !args.includes(ONLY_TYPESCRIPT);
await setUp({ build: true, python: isWhole ? [...BRIDGE_SETS, 'dev'] : [] });
process.exitCode = await runSuites(
  args.filter((argument) => argument !== ONLY_TYPESCRIPT),
  isWhole ? ['vitest', 'pytest'] : ['vitest'],
);
