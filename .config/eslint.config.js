// Which habits does this project hold itself to?
// What a linter can see of the style: promises are awaited, switches are closed, time and chance
// come in as arguments, XState stays where it belongs. A rule that is off says why.

import tseslint from 'typescript-eslint';

const CODE = ['src/**/*.ts', 'actors/**/*.ts', 'supervisors/**/*.ts'];
const TESTS = ['test/**/*.ts'];

const CLOCK_ONLY = 'Time comes in as an argument: take the Clock (actors/ground/clock.ts).';
const CHANCE_ONLY = 'Chance comes in as an argument: take the Random (actors/ground/random.ts).';
const SPAWN_ONLY =
  'Processes are started in actors/port: spawn.ts, spawn-guardian.ts and interpreter.ts.';
const NO_PROMISE = 'A promise needs a microtask, which breaks the simulation: use fromCallback.';

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];

const timeAndChance = {
  'no-restricted-globals': ['error', ...TIMERS.map((name) => ({ name, message: CLOCK_ONLY }))],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: CLOCK_ONLY },
    { object: 'performance', property: 'now', message: CLOCK_ONLY },
    { object: 'process', property: 'hrtime', message: CLOCK_ONLY },
    { object: 'process', property: 'nextTick', message: CLOCK_ONLY },
    { object: 'AbortSignal', property: 'timeout', message: CLOCK_ONLY },
    { object: 'Math', property: 'random', message: CHANCE_ONLY },
    ...TIMERS.map((property) => ({ object: 'globalThis', property, message: CLOCK_ONLY })),
  ],
};

const PROCESSES = ['child_process', 'node:child_process'].map((name) => ({
  name,
  message: SPAWN_ONLY,
  allowTypeImports: true,
}));
const WALL_CLOCKS = ['timers', 'timers/promises', 'node:timers', 'node:timers/promises'].map(
  (name) => ({ name, message: CLOCK_ONLY }),
);
const MICROTASKS = {
  name: 'xstate',
  importNames: ['waitFor', 'fromPromise'],
  message: NO_PROMISE,
};
const NO_XSTATE = {
  group: ['xstate', 'xstate/*', '@xstate/*'],
  message: 'XState stays in actors and supervisors: a new major must touch those two only.',
};

/** Options of no-restricted-imports are replaced, never merged, so each set is written whole. */
const imports = (paths, patterns = []) => ({
  '@typescript-eslint/no-restricted-imports': ['error', { paths, patterns }],
});

const SYNTAX = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals; enums are not erasable.' },
  { selector: 'TSModuleDeclaration', message: 'Use a module; namespaces are not erasable.' },
  { selector: 'TSParameterProperty', message: 'Write the field; this form is not erasable.' },
  { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
  { selector: 'ExportSpecifier[exported.name="default"]', message: 'Export by name.' },
];
const NEW_DATE = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
  message: CLOCK_ONLY,
};

const strict = {
  'no-restricted-syntax': ['error', ...SYNTAX],
  eqeqeq: 'error',
  'max-lines': ['error', { max: 300 }],
  'max-lines-per-function': ['error', { max: 60 }],
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/explicit-module-boundary-types': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true },
  ],
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
  // An arrow that hands on a call which returns nothing reads better without braces.
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
  // `_name` says: the signature asks for it, this body does not.
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' },
  ],
  // Off: a machine's setup names its types with `{} as Event`, which is what XState asks for.
  '@typescript-eslint/consistent-type-assertions': 'off',
  // Off: data off the wire is checked even where its type says that it cannot be otherwise.
  '@typescript-eslint/no-unnecessary-condition': 'off',
  // Off: a type parameter that appears once documents a call's result (`call<Result>(…)`).
  '@typescript-eslint/no-unnecessary-type-parameters': 'off',
  // Off: the interface of a promise may be met without a wait.
  '@typescript-eslint/require-await': 'off',
};

// The one default export of the file: the form that the tool demands.
export default tseslint.config(
  {
    ignores: ['dist/', 'node_modules/', 'coverage/', '.cache/', '.venv*/', 'python/', '**/*.d.ts'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    ignores: ['.config/**'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: process.cwd() },
    },
    rules: strict,
  },
  {
    files: CODE,
    rules: {
      ...timeAndChance,
      'no-restricted-syntax': ['error', ...SYNTAX, NEW_DATE],
      ...imports([...PROCESSES, ...WALL_CLOCKS, MICROTASKS]),
    },
  },
  { files: ['src/**/*.ts'], rules: imports([...PROCESSES, ...WALL_CLOCKS], [NO_XSTATE]) },
  {
    files: ['actors/port/{spawn,spawn-guardian,interpreter}.ts'],
    rules: imports([...WALL_CLOCKS, MICROTASKS]),
  },
  {
    files: ['actors/ground/clock.ts', 'actors/ground/random.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': ['error', ...SYNTAX],
      ...imports([...PROCESSES, MICROTASKS]),
    },
  },
  {
    files: ['**/*.machine.ts'],
    // The type of a machine is its definition; written out, it would be the file once more.
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    files: [...TESTS, 'docs/examples/**/*.ts'],
    rules: {
      // A `describe` holds a room's whole contract, and an example is read from top to bottom.
      'max-lines-per-function': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      // In a test a value that is missing should end it at once.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['.ci/**/*.mjs', '.config/*.{js,ts}'],
    languageOptions: { parser: tseslint.parser },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', { max: 200 }],
      'no-constant-condition': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { caughtErrors: 'all' }],
    },
  },
);
