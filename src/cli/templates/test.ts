// What does the test of a new bridge look like? It runs as it stands from Node 20 on, beside TypeScript too.
import { keyOf, type Names } from './names.ts';

/** The text of the test's file. */
export function testText({ bridge }: Names): string {
  const place = keyOf(bridge) === bridge ? `bridges.${bridge}` : `bridges['${bridge}']`;
  return `// Does the bridge \`${bridge}\` do what it should? Run it with \`node --test\`.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRuntime, loadConfig } from 'caduceus';

describe('the bridge ${bridge}', () => {
  let runtime;
  before(async () => {
    const { bridges, python } = await loadConfig({ cwd: import.meta.dirname });
    runtime = await createRuntime({ python, bridges: { ${keyOf(bridge)}: ${place} } });
  });
  after(() => runtime?.stop());

  it('greets', async () => {
    assert.equal(await runtime.pool('${bridge}').call('hello', { who: 'Ada' }), 'Hello, Ada!');
  });

  it('gives the letters of a text one by one', async () => {
    const letters = [];
    for await (const letter of runtime.pool('${bridge}').stream('spell', { text: 'Ada' })) {
      letters.push(letter);
    }
    assert.deepEqual(letters, ['A', 'd', 'a']);
  });
});
`;
}
