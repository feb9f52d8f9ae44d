// How does the TypeScript suite run?
// Forks, because tests spawn processes and raise signals, which threads of one process share; two
// of them, because suites that watch real processes mislead when they starve each other.

import { defineConfig } from 'vitest/config';

// The one default export of the project: the form that the tool demands.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    include: ['test/**/*.test.ts'],
    exclude: ['dist/**', 'node_modules/**'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    reporters: ['default'],
  },
});
