// Are the types that are written those of Python, and is it noticed when they no longer are?
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { DEADLINE_MS, makeFolder, ROOT, type Folder } from '../support/cli.ts';

const BRIDGE = [
  'from __future__ import annotations',
  'from collections.abc import Iterator',
  'from dataclasses import dataclass, field',
  'from typing import Literal',
  'from caduceus import Bridge, operation',
  '',
  '@dataclass',
  'class Node:',
  '    name: str',
  '    children: list[Node] = field(default_factory=list)',
  '',
  'class Trees(Bridge):',
  '    @operation(change="create", key="id")',
  '    def plant(self, id: str, root: Node, mode: Literal["deep", "flat"] = "deep") -> tuple[str, int]:',
  '        """Plant a tree. */ It grows."""',
  '        return id, len(root.children)',
  '',
  '    @operation(idempotent=True)',
  '    def leaves(self, id: str) -> Iterator[Node]:',
  '        yield Node(id)',
  '',
];

function folderOf(): Folder {
  const folder = makeFolder();
  folder.write('trees.py', ...BRIDGE);
  folder.write('caduceus.config.json', '{"bridges":{"trees":{"scriptPath":"trees.py"}}}');
  return folder;
}

/** What the compiler says of the file, by the sources of this package. */
function complaints(file: string): readonly string[] {
  const paths = { caduceus: [path.join(ROOT, 'src/index.ts')] };
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, exactOptionalPropertyTypes: true },
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    ...{ target: ts.ScriptTarget.ES2022, lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'] },
    ...{ allowImportingTsExtensions: true, paths, types: ['node'] },
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
  };
  const program = ts.createProgram([file], options);
  return program
    .getSemanticDiagnostics(program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const USE = [
  "import { createRuntime } from 'caduceus';",
  "import { treesBridge } from './trees.ts';",
  'const runtime = await createRuntime({ bridges: { trees: treesBridge } });',
  "const trees = runtime.registry.getAdapter('trees');",
  "const [id, count] = await trees.plant({ id: 'a', root: { name: 'root', children: [{ name: 'leaf' }] } });",
  'const both: [string, number] = [id, count];',
  "for await (const { name } of trees.leaves({ id: 'a' })) console.log(name.length, both);",
];

describe('caduceus typegen', { timeout: 2 * DEADLINE_MS }, () => {
  it('writes types that the compiler holds callers to', () => {
    const folder = folderOf();
    const written = folder.caduceus(['typegen', '--out', 'trees.ts']);
    expect(written).toEqual({ status: 0, stdout: 'trees.ts written\n', stderr: '' });
    folder.write(
      'use.mts',
      ...USE,
      "await trees.plant({ id: 'a', root: { nam: 'root' } });",
      "await trees.plant({ id: 'a', root: { name: 'r' }, mode: 'round' });",
    );
    expect(complaints(path.join(folder.path, 'use.mts'))).toEqual([
      expect.stringContaining("'nam' does not exist"),
      expect.stringContaining(`'"round"' is not assignable`),
    ]);
  });

  it('notices what Python has become, and so do workers', () => {
    const folder = folderOf();
    const typegen = (...more: string[]) =>
      folder.caduceus(['typegen', '--out', 'trees.ts', ...more]);
    expect(typegen('--check')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is not there') as unknown,
    });
    typegen();
    expect(typegen('--check')).toMatchObject({ status: 0, stdout: 'trees.ts is up to date\n' });
    folder.write(
      'config.mjs',
      "import { treesBridge } from './trees.ts';",
      "export default { bridges: { trees: { ...treesBridge, scriptPath: 'trees.py' } } };",
    );
    const plant = [
      'call',
      'trees.plant',
      '{"id":"a","root":{"name":"r"}}',
      '--config',
      'config.mjs',
    ];
    expect(folder.caduceus(plant)).toMatchObject({ status: 0, stderr: '' });

    folder.write(
      'trees.py',
      ...BRIDGE.map((line) => line.replace('tuple[str, int]', 'tuple[str, float]')),
    );
    expect(folder.caduceus(plant)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('schema') as unknown,
    });
    expect(typegen('--check', '--config', 'config.mjs')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is out of date') as unknown,
    });
    expect(typegen('--config', 'config.mjs')).toMatchObject({ status: 0 });
    expect(folder.caduceus(plant)).toMatchObject({ status: 0, stderr: '' });
  });
});
