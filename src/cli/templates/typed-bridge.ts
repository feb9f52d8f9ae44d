// What is written down of a bridge whose Python side has told what its operations take and give?
import type { WorkerInfo } from '../../../actors/ground/worker-facts.ts';
import { BUILT_IN_OPERATIONS } from '../../adapters/adapter.ts';
import { comment, literal, typeOf, type TypeText } from '../typescript-types.ts';
import { keyOf, pascalOf } from './names.ts';

type Described = Readonly<Record<string, unknown>>;

/** One operation, as it is written down. */
interface Written {
  readonly op: string;
  readonly about: Described;
  /** Names of its types. */
  readonly args: string;
  readonly result: string;
  readonly declarations: readonly string[];
}

/** The opening of a file of types. */
export function typesHeader(bridges: readonly string[]): string {
  return `// Which types have the operations of ${bridges.join(', ')}? Written by \`caduceus typegen\`, which writes it anew when Python has changed: do not edit it.
import { defineAdapter, type StandardSchema } from 'caduceus';

/** A type, for what Python checks itself. */
function typed<Type>(): StandardSchema<Type> {
  const validate = (value: unknown): { readonly value: Type } => ({ value: value as Type });
  return { '~standard': { version: 1, vendor: 'caduceus', validate } };
}
`;
}

/** The types of one bridge, its adapter, and what its configuration needs of both. */
export function typedBridge(
  bridge: string,
  { schemas, schemaHash, operations }: WorkerInfo,
): string {
  const pascal = pascalOf(bridge);
  const name = `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}`;
  const own = operations.filter((op) => !(BUILT_IN_OPERATIONS as readonly string[]).includes(op));
  const written = own.map((op) => operation(pascal, op, schemas[op] ?? {}));
  return [
    ...written.flatMap(({ declarations }) => declarations),
    `/** The adapter of \`${bridge}\`: every call of it is typed. */`,
    `export const ${name}Adapter = defineAdapter({`,
    `  framework: '${bridge}',`,
    '  operations: {',
    ...written.flatMap(definition),
    '  },',
    '});',
    '',
    `/** For \`bridges\` of a configuration: a worker whose operations are others does not start. */`,
    `export const ${name}Bridge = {`,
    `  adapter: ${name}Adapter,`,
    `  schemaHash: '${schemaHash}',`,
    '} as const;',
    '',
  ].join('\n');
}

function operation(bridge: string, op: string, about: Described): Written {
  const prefix = `${bridge}${pascalOf(op)}`;
  const ending = about['stream'] === true ? 'Item' : 'Result';
  const [args, result] = [`${prefix}Args`, `${prefix}${ending}`];
  const { description } = about;
  const text = typeof description === 'string' ? description : undefined;
  const declarations = [
    ...declared(args, typeOf(about['args'] ?? { type: 'object' }, args), text),
    ...declared(result, typeOf(about['result'], result), undefined),
  ];
  return { op, about, args, result, declarations };
}

function declared(name: string, type: TypeText, about: string | undefined): readonly string[] {
  const parts = [...type.named].map(([part, text]) => `export type ${part} = ${text};\n`);
  const comments = about === undefined ? [] : [comment(about)];
  return [...parts, ...comments, `export type ${name} = ${type.text};\n`];
}

function definition({ op, about, args, result }: Written): readonly string[] {
  const { stream, change, key, idempotent, description } = about;
  const item = stream === true ? 'item' : 'result';
  const lines = [
    ...(typeof description === 'string' ? [`description: ${literal(description)},`] : []),
    `args: typed<${args}>(),`,
    `${item}: typed<${result}>(),`,
    ...(stream === true ? ['stream: true,'] : []),
    ...(typeof change === 'string' ? [`change: '${change}',`] : []),
    ...(typeof key === 'string' ? [`key: (args) => String(args[${literal(key)}]),`] : []),
    ...(typeof idempotent === 'boolean' ? [`idempotent: ${String(idempotent)},`] : []),
  ];
  return [`    ${keyOf(op)}: {`, ...lines.map((line) => `      ${line}`), '    },'];
}
