// `caduceus init`: how does somebody come to a bridge of their own that runs at once? Nothing that is there is overwritten.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, extname, join } from 'node:path';

import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import { isBuiltIn } from '../adapters/built-in.ts';
import { CONFIG_FILES, readConfig } from '../config-file.ts';
import { adapterText, type Language } from './templates/adapter.ts';
import { bridgeText, TEMPLATES, type Template } from './templates/bridge.ts';
import {
  entryLine,
  importLine,
  newConfig,
  withEntryInJson,
  withEntryInModule,
  type Entry,
} from './templates/config.ts';
import { namesOf, type Names } from './templates/names.ts';
import { testText } from './templates/test.ts';
import { errorText } from './show.ts';
import type { Terminal } from './terminal.ts';
import { EXIT_FAILED, UsageError } from './usage-error.ts';

/** How the configuration comes to know the bridge. */
type ConfigChange =
  | { readonly type: 'new'; readonly file: string; readonly text: string }
  | { readonly type: 'changed'; readonly file: string; readonly text: string }
  /** The user has to do it. */
  | { readonly type: 'by hand'; readonly file: string };

interface Plan {
  readonly names: Names;
  readonly entry: Entry;
  /** Texts by names of files, in the order in which they are told. */
  readonly files: ReadonlyMap<string, { readonly text: string; readonly about: string }>;
  readonly config: ConfigChange;
}

/** @returns the status of the command. */
export async function initCommand(
  { output, errors }: Terminal,
  name: string,
  options: { readonly template: string },
  cwd = process.cwd(),
): Promise<number> {
  const plan = await planOf(cwd, namesOf(name), templateOf(options.template));
  for (const [file, { text }] of plan.files) {
    writeFileSync(join(cwd, file), text, { flag: 'wx' });
  }
  const problem = await writeConfig(plan, cwd);
  const told = [...plan.files].map(([file, { about }]) => [file, about] as const);
  if (problem !== undefined && plan.config.type === 'new') {
    for (const file of plan.files.keys()) rmSync(join(cwd, file));
    errors.write(`nothing was written: ${problem}\n`);
    return EXIT_FAILED;
  }
  if (problem !== undefined) {
    output.write(`${table(told)}\n`);
    errors.write(`${byHand(plan, problem)}\n`);
    return EXIT_FAILED;
  }
  const { config } = plan;
  const about =
    config.type === 'new' ? 'the configuration' : `the configuration, with ${name} added`;
  const lines = [table([...told, [basename(config.file), about]]), '', ...hints(plan, cwd)];
  output.write(`${lines.join('\n')}\n`);
  return 0;
}

function templateOf(name: string): Template {
  const template = TEMPLATES.find((each) => each === name);
  if (template !== undefined) return template;
  throw new UsageError(`${name} is no template; there are ${TEMPLATES.join(', ')}`);
}

/** What is to be written. @throws when something is in the way; nothing has been written then. */
async function planOf(cwd: string, names: Names, template: Template): Promise<Plan> {
  const { bridge, adapterFile, bridgeFile, testFile } = names;
  if (isBuiltIn(bridge))
    throw new UsageError(`${bridge} comes with the package; choose another name`);
  const { config, file } = await readConfig({ cwd, env: {} });
  if (Object.hasOwn(config.bridges ?? {}, bridge))
    throw new InvalidConfigError(`bridges.${bridge}`, `is in ${basename(file ?? '')} already`);
  const language = languageOf(cwd, file);
  const entry = { names, specifier: `./${adapterFile}.${importedAs(cwd, file, language)}` };
  const files = new Map([
    [bridgeFile, { text: bridgeText(template, names), about: 'the bridge, in Python' }],
    [
      `${adapterFile}.${language}`,
      { text: adapterText(names, language), about: 'what Node knows of it: its adapter' },
    ],
    [testFile, { text: testText(names), about: 'a test, for node --test' }],
  ]);
  for (const name of files.keys()) {
    if (existsSync(join(cwd, name)))
      throw new UsageError(`${name} is there already; nothing was written`);
  }
  return { names, entry, files, config: configChange(cwd, file, entry, language) };
}

/** That of the configuration; of a new one TypeScript where the project has it. */
function languageOf(cwd: string, file: string | undefined): Language {
  const extension = extname(file ?? '');
  if (extension === '.ts') return 'ts';
  if (extension === '.js' || extension === '.mjs') return 'mjs';
  return existsSync(join(cwd, 'tsconfig.json')) ? 'ts' : 'mjs';
}

/** Most compilers want the name that a module has once it is compiled. */
function importedAs(cwd: string, config: string | undefined, language: Language): string {
  if (language === 'mjs' || config?.endsWith('.json') === true) return language;
  const tsconfig = join(cwd, 'tsconfig.json');
  const text = existsSync(tsconfig) ? readFileSync(tsconfig, 'utf8') : '';
  const isAsItIs = /"(?:allowImportingTsExtensions|rewriteRelativeImportExtensions)"\s*:\s*true/u;
  return isAsItIs.test(text) ? 'ts' : 'js';
}

function configChange(
  cwd: string,
  file: string | undefined,
  entry: Entry,
  language: Language,
): ConfigChange {
  if (file === undefined) {
    const name = CONFIG_FILES.find((each) => each.endsWith(`.${language}`)) ?? CONFIG_FILES[0];
    return { type: 'new', file: join(cwd, name), text: newConfig(entry, language) };
  }
  const text = readFileSync(file, 'utf8');
  const changed = file.endsWith('.json')
    ? withEntryInJson(text, entry)
    : withEntryInModule(text, entry);
  return changed === undefined
    ? { type: 'by hand', file }
    : { type: 'changed', file, text: changed };
}

/** Write it, once it is known to mean what it should. @returns why it was not written. */
async function writeConfig({ config, names }: Plan, cwd: string): Promise<string | undefined> {
  if (config.type === 'by hand') return `it does not say "bridges: {" exactly once`;
  const { file, text } = config;
  const { config: before } = await readConfig({ cwd, env: {} });
  const trial = join(cwd, basename(file).replace('caduceus.config', 'caduceus.config.trial'));
  writeFileSync(trial, text, { flag: 'wx' });
  try {
    const { config: after } = await readConfig({ cwd, env: {}, file: trial });
    const wanted = [...Object.keys(before.bridges ?? {}), names.bridge];
    const missing = wanted.filter((name) => !Object.hasOwn(after.bridges ?? {}, name));
    if (missing.length > 0) return `with its line added it does not have ${missing.join(', ')}`;
    renameSync(trial, file);
    return undefined;
  } catch (error) {
    return errorText(error);
  } finally {
    rmSync(trial, { force: true });
  }
}

function byHand({ config, entry }: Plan, problem: string): string {
  return [
    `${basename(config.file)} was left as it is: ${problem}`,
    'Add these lines by hand, the second to its bridges:',
    '',
    `  ${importLine(entry)}`,
    `  ${entryLine(entry)},`,
  ].join('\n');
}

function hints({ names }: Plan, cwd: string): readonly string[] {
  const call = `npx caduceus call ${names.bridge}.hello '{"who":"Ada"}'`;
  return [
    `It runs: ${call}`,
    ...(isInstalled(cwd)
      ? []
      : ['Its test and your program want the package: npm install caduceus']),
  ];
}

function isInstalled(cwd: string): boolean {
  try {
    createRequire(join(cwd, 'package.json')).resolve('caduceus/package.json');
    return true;
  } catch {
    return false;
  }
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, about]) => `${name.padEnd(width)}  ${about}`).join('\n');
}
