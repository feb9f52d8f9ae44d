// Which tests must kill the mutants of the decision files?
// A decision's own tests, named after its file: what a whole tree of children happens to notice pins
// nothing down, and takes longer.

import { readFileSync } from 'node:fs';
import type { TestModule, Vitest } from 'vitest/node';
import base from './vitest.config.ts';

const { decisions } = JSON.parse(
  readFileSync(new URL('mutants.json', import.meta.url), 'utf8'),
) as { readonly decisions: readonly string[] };

let vitest: Vitest | undefined;

/**
 * The mutation tool looks at tests only: a file of tests that a mutant keeps from loading has none,
 * and would pass for green. So it becomes an error of the whole run, which the tool does look at.
 */
const unloadableFilesAreErrors = {
  onInit(running: Vitest) {
    vitest = running;
  },
  onTestModuleEnd(file: TestModule) {
    for (const { message } of file.errors()) {
      vitest?.state.catchError(new Error(message), 'Unloadable Test File');
    }
  },
};

// A default export: the form that the tool demands.
export default {
  ...base,
  test: {
    ...base.test,
    include: decisions.map((file) => `test/${file.replace(/\.ts$/u, '')}{,.*,-*}.test.ts`),
    reporters: [unloadableFilesAreErrors],
  },
};
