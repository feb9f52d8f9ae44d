// How does a configuration come to know one more bridge? As a new file, or as a change of the one that is there.
import type { Language } from './adapter.ts';
import { keyOf, type Names } from './names.ts';

const INDENT = 2;

/** What the configuration has to say of the bridge. */
export interface Entry {
  /** How the adapter's module is imported from beside it. */
  readonly specifier: string;
  readonly names: Names;
}

/** The text of a configuration with this bridge alone. */
export function newConfig(entry: Entry, language: Language): string {
  const title = language === 'ts' ? 'defineConfig' : '';
  return [
    ...(title === '' ? [] : ["import { defineConfig } from 'caduceus';", '']),
    importLine(entry),
    '',
    title === '' ? 'export default {' : 'export default defineConfig({',
    '  bridges: {',
    `    ${entryLine(entry)},`,
    '  },',
    title === '' ? '};' : '});',
    '',
  ].join('\n');
}

/** The line that makes the adapter known. */
export function importLine({ specifier, names }: Entry): string {
  return `import { ${names.adapter} } from '${specifier}';`;
}

/** The bridge, as a property of \`bridges\`. */
export function entryLine({ names }: Entry): string {
  return `${keyOf(names.bridge)}: { adapter: ${names.adapter}, scriptPath: './${names.bridgeFile}' }`;
}

/** A JSON configuration with the bridge added. */
export function withEntryInJson(text: string, { specifier, names }: Entry): string {
  const config = JSON.parse(text) as { readonly bridges?: Readonly<Record<string, unknown>> };
  const bridge = { adapter: specifier, scriptPath: `./${names.bridgeFile}` };
  const [, indent = ' '.repeat(INDENT)] = /^[[{]\s*?\n([ \t]+)/u.exec(text) ?? [];
  const changed = { ...config, bridges: { ...config.bridges, [names.bridge]: bridge } };
  return `${JSON.stringify(changed, undefined, indent)}\n`;
}

/** The text of a module with the bridge added where it says \`bridges: {\`; undefined when it does not say so exactly once. Whether it then means what it should is for the caller to find out. */
export function withEntryInModule(text: string, entry: Entry): string | undefined {
  const code = withoutProse(text);
  const [place, another] = [...code.matchAll(/\bbridges\s*:\s*\{/gu)];
  if (place === undefined || another !== undefined) return undefined;
  const after = place.index + place[0].length;
  const lineStart = text.lastIndexOf('\n', place.index) + 1;
  const [indent = ''] = /^[ \t]*/u.exec(text.slice(lineStart)) ?? [];
  const rest = text.slice(after);
  const isOpen = /^[ \t]*(?:\n|\/\/)/u.test(rest);
  const isEmpty = /^\s*\}/u.test(code.slice(after));
  const line = entryLine(entry);
  const inserted = isOpen
    ? `\n${indent}${' '.repeat(INDENT)}${line},`
    : ` ${line}${isEmpty ? ' ' : ','}`;
  const changed = `${text.slice(0, after)}${inserted}${rest}`;
  const firstImport = /^import\b/mu.exec(code)?.index ?? startOfCode(text);
  return `${changed.slice(0, firstImport)}${importLine(entry)}\n${changed.slice(firstImport)}`;
}

/** Behind what may only stand at the top: a shebang, and the comment of the file. */
function startOfCode(text: string): number {
  return /^(?:#![^\n]*\n)?(?:\/\/[^\n]*\n)*/u.exec(text)?.[0].length ?? 0;
}

/** The same length, with spaces for what stands in comments and texts. */
function withoutProse(text: string): string {
  const prose =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/gu;
  return text.replaceAll(prose, (found) => found.replaceAll(/[^\n]/gu, ' '));
}
