// What does `npm run differential` do? It provides what the comparison needs, then becomes it: node .ci/differential.mjs --cases 50000 --seed 7

import { become, setUp } from './setup.mjs';

await setUp({ build: true });
await become('test/differential/main.js');
