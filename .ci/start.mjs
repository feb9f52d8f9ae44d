// What does `npm start` do? It provides everything that the demo needs, then becomes the demo.

import { become, setUp } from './setup.mjs';

await setUp({ build: true, python: ['dspy'] });
await become('docs/examples/main-job.js');
