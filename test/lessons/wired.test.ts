// Is whatever was built also at work? A module that nobody imports and an event that nobody tells of are rows of docs/lessons.md.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { Accounting } from '../../supervisors/pool/accounting.ts';
import { importsOf, readModules, type Module } from '../support/architecture.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MODULES = readModules(ROOT, ['actors', 'supervisors', 'src']);
const BUS = 'actors/ground/bus.ts';

/** What the package gives to others, as package.json has it: `./dist/src/a.js` is `src/a.ts` here. */
function entryPoints(): readonly string[] {
  const { bin, exports } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    readonly bin: Readonly<Record<string, string>>;
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  };
  const files = [
    ...Object.values(bin),
    ...Object.values(exports).map((given) => (typeof given === 'string' ? given : given.default)),
  ];
  const sources = files.filter((file) => file.endsWith('.js'));
  return sources.map((file) => file.replace(/^\.\/dist\//u, '').replace(/\.js$/u, '.ts'));
}

/** Modules to which no way leads from these. */
function unreached(modules: readonly Module[], from: readonly string[]): readonly string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const reached = new Set<string>();
  const visit = (file: string): void => {
    const module = byPath.get(file);
    if (module === undefined || reached.has(file)) return;
    reached.add(file);
    for (const target of importsOf(module).filter((name) => name.startsWith('.'))) {
      visit(path.posix.join(path.posix.dirname(file), target));
    }
  };
  from.forEach(visit);
  return modules.map((module) => module.path).filter((file) => !reached.has(file));
}

/** Those of the counters that nothing in the pool adds to. */
function uncounted(counters: readonly string[], modules: readonly Module[]): readonly string[] {
  // `End`, the ends of calls, are counted as `counters[end]`.
  const ends = ['completed', 'failed', 'cancelled'];
  const added = modules.flatMap(({ text }) =>
    [...text.matchAll(/\bcounters\.(\w+) \+=/gu)].map(([, name]) => name),
  );
  return counters.filter((name) => !added.includes(name) && !ends.includes(name));
}

/** The events of the table, as its interface names them. */
function eventsOf(source: string): readonly string[] {
  const file = ts.createSourceFile('bus.ts', source, ts.ScriptTarget.Latest);
  const table = file.statements.find(
    (node) => ts.isInterfaceDeclaration(node) && node.name.text === 'BusEvents',
  ) as ts.InterfaceDeclaration;
  return table.members.map(({ name }) => (name as ts.StringLiteral).text);
}

/** Those of the events that no code gives to `emit`, or to what stands for it, as a text. */
function untold(events: readonly string[], modules: readonly Module[]): readonly string[] {
  const texts = new Set<string>();
  for (const module of modules) {
    const file = ts.createSourceFile(module.path, module.text, ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      const isGiven = ts.isStringLiteral(node) && !ts.isPropertySignature(node.parent);
      if (isGiven && !isListening(node)) texts.add(node.text);
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return events.filter((event) => !texts.has(event));
}

/** `bus.on('…', …)` tells nothing, nor does a comparison with a name. */
function isListening({ parent }: ts.Node): boolean {
  if (ts.isBinaryExpression(parent) || ts.isCaseClause(parent)) return true;
  if (!ts.isCallExpression(parent)) return false;
  const { expression } = parent;
  return ts.isPropertyAccessExpression(expression) && expression.name.text === 'on';
}

describe('every module of the package', () => {
  it('is reached from what the package gives to others (B36)', () => {
    const entries = entryPoints();
    expect(entries.length).toBeGreaterThan(2);
    expect(entries.filter((entry) => !MODULES.some((module) => module.path === entry))).toEqual([]);
    expect(unreached(MODULES, entries)).toEqual([]);
  });

  it('would be found out if nobody imported it', () => {
    const modules = [
      { path: 'src/index.ts', text: "export { a } from './a.ts';" },
      { path: 'src/a.ts', text: "import type { B } from '../actors/b.ts'; export const a = 1;" },
      { path: 'actors/b.ts', text: 'export type B = 1;' },
      { path: 'actors/breaker.ts', text: "import '../src/index.ts';" },
    ];
    expect(unreached(modules, ['src/index.ts'])).toEqual(['actors/breaker.ts']);
  });
});

describe('every event of the table', () => {
  it('is told by somebody (B25)', () => {
    const events = eventsOf(readFileSync(path.join(ROOT, BUS), 'utf8'));
    expect(events.length).toBeGreaterThan(30);
    expect(untold(events, MODULES)).toEqual([]);
  });

  it('would be found out if somebody only listened to it', () => {
    const text = `
      bus.on('heard', f); if (name === 'compared') f();
      bus.emit('told', {}); this.#tell('told.otherwise', {});`;
    const events = ['heard', 'compared', 'told', 'told.otherwise'];
    expect(untold(events, [{ path: 'a.ts', text }])).toEqual(['heard', 'compared']);
  });
});

describe('every counter of a pool', () => {
  it('is counted by somebody (B17)', () => {
    const counters = Object.keys(new Accounting().counters);
    expect(counters.length).toBeGreaterThan(10);
    expect(uncounted(counters, MODULES)).toEqual([]);
  });

  it('would be found out if it were only shown', () => {
    const text = 'counters.told += 1; this.show(counters.shown);';
    expect(uncounted(['told', 'shown'], [{ path: 'a.ts', text }])).toEqual(['shown']);
  });
});
