// Does a JSON Schema become the TypeScript type of what it lets through?
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

import { comment, literal, typeOf } from '../../../src/cli/typescript-types.ts';

function text(schema: unknown): string {
  return typeOf(schema, 'Words').text;
}

describe('the type of a schema', () => {
  it.each([
    [{}, 'unknown'],
    [undefined, 'unknown'],
    [true, 'unknown'],
    [false, 'never'],
    [{ type: 'string' }, 'string'],
    [{ type: 'integer' }, 'number'],
    [{ type: ['number', 'null'] }, 'number | null'],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 'string | null'],
    [{ oneOf: [{ type: 'string' }, {}] }, 'unknown'],
    [{ allOf: [{ type: 'string' }, {}] }, 'string'],
    [{ enum: ["it's", 2, null, true] }, "'it\\'s' | 2 | null | true"],
    [{ const: 'a"b\n' }, "'a\"b\\n'"],
    [{ type: 'array', items: { type: 'string' } }, 'readonly string[]'],
    [{ type: 'array', items: { enum: ['a', 'b'] } }, "readonly ('a' | 'b')[]"],
    [{ type: 'array' }, 'readonly unknown[]'],
    [
      {
        type: 'array',
        prefixItems: [{ type: 'string' }, { type: 'number' }],
        minItems: 1,
        items: false,
      },
      'readonly [string, (number)?]',
    ],
    [{ type: 'array', minItems: 0, maxItems: 0, prefixItems: [], items: false }, 'readonly []'],
    [{ type: 'object' }, 'Readonly<Record<string, unknown>>'],
    [
      { type: 'object', properties: {}, additionalProperties: false },
      'Readonly<Record<string, never>>',
    ],
    [{ additionalProperties: { type: 'number' } }, 'Readonly<Record<string, number>>'],
    [{ type: 'nonsense' }, 'unknown'],
    [{ $ref: '#/$defs/Nobody' }, 'unknown'],
  ])('%j is %s', (schema, expected) => {
    expect(text(schema)).toBe(expected);
  });

  it('of an object says what may be left out, and what its fields are for', () => {
    const properties = {
      text: { type: 'string', description: 'of any\nlength */' },
      'max-length': { type: 'integer' },
      other: {},
    };
    expect(
      text({ type: 'object', properties, required: ['text'], additionalProperties: false }),
    ).toBe(
      [
        '{',
        '  /** of any length * / */',
        '  readonly text: string;',
        "  readonly 'max-length'?: number | undefined;",
        '  readonly other?: unknown;',
        '}',
      ].join('\n'),
    );
  });

  it('names what holds itself', () => {
    const node = {
      type: 'object',
      properties: { next: { $ref: '#/$defs/Tree.Node' }, name: { type: 'string' } },
      required: ['name'],
    };
    const type = typeOf({ $ref: '#/$defs/Tree.Node', $defs: { 'Tree.Node': node } }, 'WordsGrow');
    expect(type.text).toBe('WordsGrowTreeNode');
    expect([...type.named]).toEqual([
      [
        'WordsGrowTreeNode',
        '{\n  readonly next?: WordsGrowTreeNode | undefined;\n  readonly name: string;\n}',
      ],
    ]);
  });

  it('ends where nobody reads any more', () => {
    let schema: object = { type: 'string' };
    for (let i = 0; i < 100; i += 1) schema = { type: 'array', items: schema };
    expect(text(schema)).toContain('unknown');
  });
});

describe('what is written into a program', () => {
  it.each(['*/', "'", '\\', '\u2028', '${x}', '\u0000'])('is no part of it: %j', (part) => {
    const code = `${comment(`a ${part} b`)}\nconst x = ${literal(`a ${part} b`)};`;
    const { diagnostics } = ts.transpileModule(code, { reportDiagnostics: true });
    expect(diagnostics).toEqual([]);
  });
});
