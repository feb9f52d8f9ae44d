// Which options do the variables of the environment set? `CADUCEUS__BRIDGES__DSPY__POOL__SIZE=8` is `bridges.dspy.pool.size`.
import { z } from 'zod';

import { suggestion } from '../actors/ground/nearest.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import { alternativesOf, childOf, fieldOf, findingOf } from './adapters/explain.ts';
import { runtimeSchema } from './config.ts';

const PREFIX = 'CADUCEUS__';
const SEPARATOR = '__';

/** Options that say where a bridge is: only with one of them do variables make a bridge that nobody else knows. */
const ORIGINS = ['adapter', 'scriptPath', 'pythonModule'];

/** Options that are no data, and what to do instead. */
const CODE_ONLY = ['store', 'callbacks'];

export type Env = Readonly<Record<string, string | undefined>>;

interface Variable {
  readonly name: string;
  readonly text: string;
  readonly segments: readonly string[];
}

interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
  /** Which variable says so. */
  readonly from: string;
}

/**
 * What the variables say, as a configuration that has nothing else in it.
 * @param bridges the names of the bridges that are known otherwise.
 * @throws {@link InvalidConfigError} naming the variable.
 */
export function configFromEnv(env: Env, bridges: readonly string[]): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  const settings = new Map<string, Setting>();
  for (const variable of variablesOf(env)) {
    const setting = settingOf(variable, bridges);
    const field = fieldOf('', setting.path);
    const other = settings.get(field);
    if (other !== undefined) refuse(variable.name, `says the same as ${other.from}: ${field}`);
    settings.set(field, setting);
    put(config, setting);
  }
  checkNewBridges(config, bridges, [...settings.values()]);
  return config;
}

/** Those of groups before those of what is in the groups, so that the closer word wins. A variable that is empty is as good as none. */
function variablesOf(env: Env): readonly Variable[] {
  return Object.entries(env)
    .flatMap(([name, text = '']): Variable[] => {
      if (!name.toUpperCase().startsWith(PREFIX) || text === '') return [];
      return [{ name, text, segments: name.slice(PREFIX.length).split(SEPARATOR) }];
    })
    .sort((a, b) => a.segments.length - b.segments.length || (a.name < b.name ? -1 : 1));
}

function settingOf({ name, text, segments }: Variable, bridges: readonly string[]): Setting {
  const path: string[] = [];
  let schemas: readonly z.ZodType[] = [runtimeSchema];
  for (const segment of segments) {
    const key = keyOf(schemas, path, segment, bridges);
    if (key.type === 'unknown') {
      const field = fieldOf('', [...path, segment.toLowerCase()]);
      return refuse(name, `${field} is no option; ${suggestion(segment, key.known)}`);
    }
    path.push(key.name);
    if (CODE_ONLY.includes(key.name)) {
      return refuse(name, `${fieldOf('', path)} can be set in code only`);
    }
    schemas = schemas.flatMap((schema) => childOf(schema, key.name) ?? []).flatMap(alternativesOf);
  }
  return { path, value: valueOf(name, text, path, schemas), from: name };
}

type Key =
  | { readonly type: 'known'; readonly name: string }
  | { readonly type: 'unknown'; readonly known: readonly string[] };

function keyOf(
  schemas: readonly z.ZodType[],
  path: readonly string[],
  segment: string,
  bridges: readonly string[],
): Key {
  const isRecord = schemas.some((schema) => schema instanceof z.ZodRecord);
  // Names that somebody else has given, such as those of variables for Python, are taken as they stand.
  if (isRecord && path.at(-1) !== 'bridges') return { type: 'known', name: segment };
  const known = isRecord ? bridges : schemas.flatMap(keysOf);
  const name = known.find((each) => plain(each) === plain(segment));
  if (name !== undefined) return { type: 'known', name };
  return isRecord && segment !== ''
    ? { type: 'known', name: segment.toLowerCase() }
    : { type: 'unknown', known };
}

function keysOf(schema: z.ZodType): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function plain(name: string): string {
  return name.replace(/[_-]/gu, '').toLowerCase();
}

/** JSON where that is what the option takes, else the text itself: `3.11` is a number to JSON, and a version to us. */
function valueOf(
  name: string,
  text: string,
  path: readonly string[],
  schemas: readonly z.ZodType[],
): unknown {
  // An adapter is data only by its name, which is looked up later.
  if (path.at(-1) === 'adapter') return text;
  const json = parsed(text);
  const candidates = json === undefined ? [text] : [json.value, text];
  const schema = z.union(schemas.map(withoutDuties) as [z.ZodType, ...z.ZodType[]]);
  const found = candidates.find((value) => schema.safeParse(value).success);
  if (found !== undefined && !(path.at(-1) === 'logger' && found !== false)) return found;
  const [closest] = candidates;
  const finding = findingOf(schemas.length === 1 ? (schemas[0] ?? schema) : schema, closest);
  const field = fieldOf('', [...path, ...(finding?.path ?? [])]);
  const problem = path.at(-1) === 'logger' ? 'must be false' : finding?.problem;
  return refuse(name, `${field}: ${problem ?? 'is invalid'}`);
}

/** What a whole object lacks, others may say. */
function withoutDuties(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject ? schema.partial() : schema;
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function put(config: Record<string, unknown>, { path, value }: Setting): void {
  let at = config;
  for (const key of path.slice(0, -1)) {
    const below = at[key];
    const next = typeof below === 'object' && below !== null ? { ...below } : {};
    at[key] = next;
    at = next;
  }
  const last = path.at(-1);
  if (last !== undefined) at[last] = value;
}

function checkNewBridges(
  config: Readonly<Record<string, unknown>>,
  bridges: readonly string[],
  settings: readonly Setting[],
): void {
  const named = (config['bridges'] ?? {}) as Readonly<Record<string, object>>;
  for (const [name, bridge] of Object.entries(named)) {
    if (bridges.includes(name) || ORIGINS.some((option) => option in bridge)) continue;
    const from = settings.find(({ path }) => path[0] === 'bridges' && path[1] === name)?.from;
    refuse(
      from ?? `${PREFIX}BRIDGES`,
      `${name} is no bridge; ${suggestion(name, bridges)} A new one needs ${ORIGINS.join(', ')}`,
    );
  }
}

function refuse(variable: string, problem: string): never {
  throw new InvalidConfigError(variable, problem);
}
