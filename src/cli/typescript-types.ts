// Which TypeScript type has the values that a JSON Schema (draft 2020-12) lets through? Wider where TypeScript cannot say it.
import { keyOf } from './templates/names.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A type, and the types that it names. */
export interface TypeText {
  readonly text: string;
  /** Declarations by name. */
  readonly named: ReadonlyMap<string, string>;
}

/** Schemas may be nested as deep as somebody likes; a type of that depth is read by nobody. */
const DEPTH_MAX = 32;
const DEFINITIONS = '#/$defs/';

/**
 * The type of what a schema describes.
 * @param prefix what the names of the types begin with that it has to name, because they hold themselves.
 */
export function typeOf(schema: unknown, prefix: string): TypeText {
  const definitions = isObject(schema) && isObject(schema['$defs']) ? schema['$defs'] : {};
  const writer = new TypeWriter(definitions, prefix);
  return { text: writer.write(schema, 0), named: writer.named };
}

class TypeWriter {
  readonly named = new Map<string, string>();
  readonly #definitions: Schema;
  readonly #prefix: string;

  constructor(definitions: Schema, prefix: string) {
    this.#definitions = definitions;
    this.#prefix = prefix;
  }

  write(schema: unknown, depth: number): string {
    if (schema === false) return 'never';
    if (!isObject(schema) || depth > DEPTH_MAX) return 'unknown';
    const { $ref: reference, const: constant, enum: values, anyOf, oneOf, allOf } = schema;
    if (typeof reference === 'string') return this.#reference(reference);
    if ('const' in schema) return literal(constant);
    if (Array.isArray(values)) return union(values.map(literal));
    const below = depth + 1;
    if (Array.isArray(anyOf)) return union(anyOf.map((each) => this.write(each, below)));
    if (Array.isArray(oneOf)) return union(oneOf.map((each) => this.write(each, below)));
    if (Array.isArray(allOf)) return intersection(allOf.map((each) => this.write(each, below)));
    const { type } = schema;
    const types: readonly unknown[] = Array.isArray(type) ? type : [type ?? impliedType(schema)];
    return union(types.map((each) => this.#simple(each, schema, depth)));
  }

  #simple(type: unknown, schema: Schema, depth: number): string {
    switch (type) {
      case 'string':
      case 'boolean':
      case 'null':
        return type;
      case 'number':
      case 'integer':
        return 'number';
      case 'array':
        return this.#array(schema, depth);
      case 'object':
        return this.#object(schema, depth);
      default:
        return 'unknown';
    }
  }

  #array({ items, prefixItems, minItems }: Schema, depth: number): string {
    const below = depth + 1;
    if (!Array.isArray(prefixItems)) {
      const item = this.write(items, below);
      return `readonly ${/^[\w.]+$/u.test(item) ? item : `(${item})`}[]`;
    }
    const required = typeof minItems === 'number' ? minItems : prefixItems.length;
    const parts = prefixItems.map((each, i) => {
      const part = this.write(each, below);
      return i < required ? part : `(${part})?`;
    });
    const rest = items === false ? [] : [`...(${this.write(items, below)})[]`];
    return `readonly [${[...parts, ...rest].join(', ')}]`;
  }

  #object({ properties, required, additionalProperties: others }: Schema, depth: number): string {
    const below = depth + 1;
    const known = isObject(properties) ? Object.entries(properties) : [];
    if (known.length === 0) {
      return others === false
        ? 'Readonly<Record<string, never>>'
        : `Readonly<Record<string, ${this.write(others, below)}>>`;
    }
    const wanted = Array.isArray(required) ? (required as readonly unknown[]) : [];
    const indent = '  '.repeat(below);
    const lines = known.map(([name, schema]) => {
      const isOptional = !wanted.includes(name);
      const type = this.write(schema, below);
      const undefinedToo = isOptional && type !== 'unknown' ? ' | undefined' : '';
      const about = describe(schema, indent);
      return `${about}${indent}readonly ${keyOf(name)}${isOptional ? '?' : ''}: ${type}${undefinedToo};`;
    });
    const open = isObject(others) ? [`${indent}readonly [name: string]: unknown;`] : [];
    return `{\n${[...lines, ...open].join('\n')}\n${'  '.repeat(depth)}}`;
  }

  #reference(reference: string): string {
    const name = reference.startsWith(DEFINITIONS) ? reference.slice(DEFINITIONS.length) : '';
    const definition = this.#definitions[name];
    if (name === '' || definition === undefined) return 'unknown';
    const type = `${this.#prefix}${name.replaceAll(/[^\w]+/gu, '')}`;
    if (!this.named.has(type)) {
      // Known before it is written: it may hold itself.
      this.named.set(type, 'unknown');
      this.named.set(type, this.write(definition, 0));
    }
    return type;
  }
}

/** A comment for people, where there is something to say. */
function describe(schema: unknown, indent: string): string {
  const text = isObject(schema) ? schema['description'] : undefined;
  return typeof text === 'string' ? `${indent}${comment(text)}\n` : '';
}

/** A text as a comment of a declaration, in one line. */
export function comment(text: string): string {
  return `/** ${text.replaceAll(/\s+/gu, ' ').replaceAll('*/', '* /').trim()} */`;
}

function impliedType(schema: Schema): string {
  if ('properties' in schema || 'additionalProperties' in schema) return 'object';
  return 'items' in schema || 'prefixItems' in schema ? 'array' : 'unknown';
}

/** A value as it stands in TypeScript, as a type too. */
export function literal(value: unknown): string {
  if (typeof value === 'string') {
    const inside = JSON.stringify(value).slice(1, -1);
    return `'${inside.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  }
  const isPlain = typeof value === 'number' || typeof value === 'boolean' || value === null;
  return isPlain ? String(value) : 'unknown';
}

function union(types: readonly string[]): string {
  const different = [...new Set(types)];
  return different.includes('unknown') ? 'unknown' : different.join(' | ') || 'never';
}

function intersection(types: readonly string[]): string {
  const different = [...new Set(types)].filter((type) => type !== 'unknown');
  return (
    different.map((type) => (type.includes(' | ') ? `(${type})` : type)).join(' & ') || 'unknown'
  );
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
