// What does `npm run docs` do? It draws docs/lifecycles.md from the machines; with `-- --check` it
// only says whether the drawing is what the machines are.

import { become, setUp } from './setup.mjs';

await setUp({ build: true });
await become('test/docs/generate.js');
