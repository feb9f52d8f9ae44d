// Which field is wrong, and what is wrong with it? The first finding of a schema, in the words of whoever wrote the value.
import { z } from 'zod';

import { suggestion } from '../../actors/ground/nearest.ts';

/** A schema's first finding. */
export interface Finding {
  /** From the value's top; empty when the whole of it is wrong. */
  readonly path: readonly PropertyKey[];
  readonly problem: string;
}

/** @returns what is wrong with the value, or undefined. Unknown keys are told with the known one that is most like them. */
export function findingOf(schema: z.ZodType, value: unknown): Finding | undefined {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return undefined;
  const { issues } = parsed.error;
  // What is missing elsewhere was often meant by the key that nobody knows.
  const issue = issues.find(hasKeys) ?? issues[0];
  return issue === undefined ? { path: [], problem: 'is invalid' } : explain(schema, issue, []);
}

/** The field as people write it, below `root`. */
export function fieldOf(root: string, path: readonly PropertyKey[]): string {
  return [root, ...path.map(String)].filter((part) => part !== '').join('.');
}

function explain(
  schema: z.ZodType,
  issue: z.core.$ZodIssue,
  above: readonly PropertyKey[],
): Finding {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const known = knownKeys(schema, path);
    return { path, problem: `${key} is no option; ${suggestion(key, known)}` };
  }
  if (issue.code === 'invalid_union') {
    // The alternative that the value was meant to be is the one that was understood furthest.
    const meant = issue.errors.flat().find((each) => each.path.length > 0 || hasKeys(each));
    if (meant !== undefined) return explain(schema, meant, path);
  }
  // What is wrong with a name in a record is said of the name.
  const said = issue.code === 'invalid_key' ? issue.issues[0] : undefined;
  return { path, problem: (said ?? issue).message + foundText(issue) };
}

function hasKeys(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'unrecognized_keys';
}

/** Numbers only: a text may be a secret that was put into the wrong field. */
function foundText(issue: z.core.$ZodIssue): string {
  return typeof issue.input === 'number' ? `, found ${issue.input}` : '';
}

/** The keys that the schema knows at this place. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const alternatives = alternativesOf(schema);
  const [step, ...rest] = path;
  if (step === undefined) {
    return alternatives.flatMap((each) =>
      each instanceof z.ZodObject ? Object.keys(each.shape as object) : [],
    );
  }
  return alternatives.flatMap((each) => {
    const below = childOf(each, step);
    return below === undefined ? [] : knownKeys(below, rest);
  });
}

/** What may stand at this place of a value of the schema; undefined where there is no such place. */
export function childOf(schema: z.ZodType, step: PropertyKey): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) {
    return (schema.shape as Record<PropertyKey, z.ZodType | undefined>)[step];
  }
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType;
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  return undefined;
}

/** The schemas one of which the value must fit, without what only says that it may be left out. */
export function alternativesOf(schema: z.ZodType): readonly z.ZodType[] {
  if (schema instanceof z.ZodOptional) return alternativesOf(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodUnion) {
    return (schema.options as readonly z.ZodType[]).flatMap(alternativesOf);
  }
  return [schema];
}
