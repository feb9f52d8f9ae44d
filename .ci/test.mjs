// What does `npm test` do? It provides what the suites need, runs both, and counts.
// Arguments go to vitest: npm test -- test/actors --bail 1

import { setUp } from './setup.mjs';
import { runSuites } from './suites.mjs';

await setUp({ build: true, python: ['dspy', 'dev'] });
process.exitCode = await runSuites(process.argv.slice(2));
