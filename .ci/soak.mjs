// What does `npm run soak` do? It provides what the load and fault run needs, then becomes it: node .ci/soak.mjs --seconds 60 --seed 7

import { become, setUp } from './setup.mjs';

await setUp({ build: true, python: ['dspy'] });
await become('test/soak/main.js');
