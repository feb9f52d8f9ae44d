// Is a bridge added to a configuration where it belongs, however that is laid out?
import { describe, expect, it } from 'vitest';

import { namesOf } from '../../../src/cli/templates/names.ts';
import {
  newConfig,
  withEntryInJson,
  withEntryInModule,
} from '../../../src/cli/templates/config.ts';

const entry = { names: namesOf('words'), specifier: './words-adapter.mjs' };
const IMPORT = "import { wordsAdapter } from './words-adapter.mjs';";
const LINE = "words: { adapter: wordsAdapter, scriptPath: './words_bridge.py' }";

describe('a bridge is added to a module', () => {
  it.each([
    ['export default { bridges: {} };', `${IMPORT}\nexport default { bridges: { ${LINE} } };`],
    [
      'export default { bridges: { old } };',
      `${IMPORT}\nexport default { bridges: { ${LINE}, old } };`,
    ],
    [
      "// title\nimport a from 'a';\n\nexport default {\n\tbridges: { // all\n\t\ta,\n\t},\n};\n",
      `// title\n${IMPORT}\nimport a from 'a';\n\nexport default {\n\tbridges: {\n\t  ${LINE}, // all\n\t\ta,\n\t},\n};\n`,
    ],
    [
      "// bridges: {\nconst text = 'bridges: {';\nexport default {\n  bridges: {\n  },\n};",
      `// bridges: {\n${IMPORT}\nconst text = 'bridges: {';\nexport default {\n  bridges: {\n    ${LINE},\n  },\n};`,
    ],
  ])('of %j', (before, after) => {
    expect(withEntryInModule(before, entry)).toBe(after);
  });

  it.each([
    'export default { bridges };',
    'export default load();',
    'const a = { bridges: {} }; export default { bridges: {} };',
    '/* bridges: {} */ export default {};',
    'export default { "bridges": {} };',
  ])('but not of %j', (text) => {
    expect(withEntryInModule(text, entry)).toBeUndefined();
  });
});

describe('a bridge is added to JSON', () => {
  it('with the indentation that it has', () => {
    const before = '{\n    "default": "a",\n    "bridges": {\n        "a": {}\n    }\n}\n';
    const bridges = {
      a: {},
      words: { adapter: './words-adapter.mjs', scriptPath: './words_bridge.py' },
    };
    const after = `${JSON.stringify({ default: 'a', bridges }, undefined, 4)}\n`;
    expect(withEntryInJson(before, entry)).toBe(after);
    expect(JSON.parse(withEntryInJson('{}', entry))).toEqual({ bridges: { words: bridges.words } });
  });
});

describe('a new configuration', () => {
  it('is typed where the project has TypeScript', () => {
    expect(newConfig(entry, 'ts')).toContain('export default defineConfig({\n  bridges: {\n');
    expect(newConfig(entry, 'mjs')).toContain('export default {\n  bridges: {\n');
  });
});

describe('the names of a bridge', () => {
  it.each([
    ['words', 'WordsBridge', 'wordsAdapter', 'words_bridge.py', 'words-adapter'],
    ['my-words', 'MyWordsBridge', 'myWordsAdapter', 'my_words_bridge.py', 'my-words-adapter'],
    [
      'textToSpeech',
      'TextToSpeechBridge',
      'textToSpeechAdapter',
      'text_to_speech_bridge.py',
      'text-to-speech-adapter',
    ],
    ['a_', 'ABridge', 'aAdapter', 'a_bridge.py', 'a-adapter'],
  ])(
    'of %s keep to the habits of each language',
    (name, pythonClass, adapter, bridgeFile, adapterFile) => {
      expect(namesOf(name)).toMatchObject({ pythonClass, adapter, bridgeFile, adapterFile });
    },
  );

  it.each(['', '1st', 'a.b', 'a b', '-a'])('cannot be made of %j', (name) => {
    expect(() => namesOf(name)).toThrow('is no bridge name');
  });
});
