// Does the source tree keep to its floors and rooms?
// Pure rules over files as text: each takes modules and returns one sentence per violation, so a
// test can feed them the real tree as well as small trees that break one rule.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** One source file: its path from the top of the repository, with forward slashes. */
export interface Module {
  readonly path: string;
  readonly text: string;
}

/** Floors from the ground up; in each, its rooms from the ground up. */
export type Floors = readonly (readonly [floor: string, rooms: readonly Room[]])[];

/** Rooms of one level share a row: they may not import each other. `.` is the files of the floor. */
type Room = readonly string[];

const LINES_MAX = 300;

export function readModules(root: string, folders: readonly string[]): Module[] {
  return folders
    .flatMap((folder) => filesUnder(root, folder))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ path: file, text: readFileSync(path.join(root, file), 'utf8') }));
}

/** Specifiers of all imports and re-exports, types too: a type ties two files together as well. */
export function importsOf(module: Module): string[] {
  return ts.preProcessFile(module.text, true, true).importedFiles.map(({ fileName }) => fileName);
}

export function upwardImports(modules: readonly Module[], floors: Floors): string[] {
  return modules.flatMap((module) => {
    const from = placeOf(module.path, floors);
    if (from === undefined) return [`${module.path}: its room is in no row of the table`];
    return relativeImports(module).flatMap((target) => {
      const to = placeOf(target, floors);
      if (to === undefined) return [`${module.path}: imports ${target}, which is on no floor`];
      const isSideways = to.level === from.level && to.room !== from.room;
      if (to.level < from.level || (to.level === from.level && !isSideways)) return [];
      return [`${module.path}: imports ${isSideways ? 'sideways' : 'upward'}, ${target}`];
    });
  });
}

export function strayPackageImports(
  modules: readonly Module[],
  packageName: string,
  floors: readonly string[],
): string[] {
  return modules
    .filter(({ path: file }) => !floors.includes(floorOf(file)))
    .filter((module) => importsOf(module).some((name) => isOfPackage(name, packageName)))
    .map((module) => `${module.path}: imports ${packageName}`);
}

/** Each cycle once, as the files on the way round. */
export function importCycles(modules: readonly Module[]): string[] {
  const targets = new Map(modules.map((module) => [module.path, relativeImports(module)]));
  const settled = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start !== -1) cycles.push([...way.slice(start), file].join(' → '));
    if (start !== -1 || settled.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...way, file]);
    settled.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return cycles;
}

export function importsWithoutExtension(modules: readonly Module[]): string[] {
  return modules.flatMap((module) =>
    importsOf(module)
      .filter((name) => name.startsWith('.') && !name.endsWith('.ts'))
      .map((name) => `${module.path}: imports '${name}', which does not end in .ts`),
  );
}

export function filesWithoutQuestion(modules: readonly Module[]): string[] {
  return modules
    .filter(({ text }) => !/^(?:#![^\n]*\n)?\s*\/[/*]/u.test(text))
    .map((module) => `${module.path}: does not open with the question that it answers`);
}

export function longFiles(modules: readonly Module[]): string[] {
  return modules.flatMap((module) => {
    const lines = module.text.trimEnd().split('\n');
    const opening = lines.slice(0, 5).join('\n');
    if (lines.length <= LINES_MAX || /Over 300 lines because \S/u.test(opening)) return [];
    return [
      `${module.path}: ${lines.length} lines; split it, or give the reason in its first 5 lines: ` +
        '/* eslint-disable max-lines -- Over 300 lines because … */',
    ];
  });
}

/** Folders that hold no file, not even further down. */
export function emptyFolders(root: string, folders: readonly string[]): string[] {
  return folders.flatMap((folder) => {
    if (filesUnder(root, folder).length === 0) return [`${folder}: is an empty folder`];
    const entries = readdirSync(path.join(root, folder), { withFileTypes: true });
    const below = entries.filter((entry) => entry.isDirectory() && isOurs(entry.name));
    return emptyFolders(
      root,
      below.map(({ name }) => `${folder}/${name}`),
    );
  });
}

/** What stands at the top, against what should stand there. */
export function topLevelDifferences(
  files: readonly string[],
  expected: readonly string[],
): string[] {
  const found = new Set(files.map(floorOf));
  return [
    ...[...found].filter((name) => !expected.includes(name)).map((name) => `${name}: unexpected`),
    ...expected.filter((name) => !found.has(name)).map((name) => `${name}: missing`),
  ];
}

function relativeImports(module: Module): string[] {
  return importsOf(module)
    .filter((name) => name.startsWith('.'))
    .map((name) => path.posix.join(path.posix.dirname(module.path), name));
}

function isOfPackage(name: string, packageName: string): boolean {
  return (
    name === packageName ||
    name.startsWith(`${packageName}/`) ||
    name.startsWith(`@${packageName}/`)
  );
}

/** Level counts through all floors, so one comparison covers floors and rooms. */
function placeOf(file: string, floors: Floors): { level: number; room: string } | undefined {
  let level = 0;
  for (const [floor, rows] of floors) {
    for (const row of rows) {
      const room = row.find((name) => isIn(file, floor, name));
      if (room !== undefined && !hasCloserRoom(file, floor, room, rows)) return { level, room };
      level += 1;
    }
  }
  return undefined;
}

function isIn(file: string, floor: string, room: string): boolean {
  if (room === '.') return path.posix.dirname(file) === floor;
  return file === `${floor}/${room}` || file.startsWith(`${floor}/${room}/`);
}

/** A file that has a row of its own is not in the row of its floor's other files. */
function hasCloserRoom(file: string, floor: string, room: string, rows: readonly Room[]): boolean {
  return room === '.' && rows.flat().some((name) => name !== '.' && isIn(file, floor, name));
}

function floorOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function filesUnder(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter((entry) => isOurs(entry.name))
    .flatMap((entry) => {
      const name = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesUnder(root, name) : [name];
    });
}

/** Leave out what tools leave behind. */
function isOurs(name: string): boolean {
  return name !== '__pycache__' && !name.endsWith('.egg-info') && !/^\..*_cache$/u.test(name);
}
