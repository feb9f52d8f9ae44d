// What does `npm run bench` do? It provides what the benchmark needs, then becomes the benchmark.

import { become, setUp } from './setup.mjs';

await setUp({ build: true, python: ['dspy'] });
await become('test/bench/main.js');
