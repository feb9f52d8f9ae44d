// What does `npm run docs` do? It writes what is drawn from the code: docs/lifecycles.md and the
// README's picture from the machines, the tables of docs/conformance.md from the tests.
// With `-- --check` it only says whether they still are what the code is.

import { become, setUp } from './setup.mjs';

await setUp({ build: true });
await become('test/docs/generate.js');
