// How is a value checked by a schema that any library may have made? By the Standard Schema interface (https://standardschema.dev, version 1).

/** What zod, valibot, arktype and others give alike. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Never there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

const ignore = (): void => undefined;

/** What came of a check. */
export type Checked =
  | { readonly type: 'good'; readonly value: unknown }
  /** `path` from the value's top, e.g. `inputs.0.name`; empty when the whole of it is wrong. */
  | { readonly type: 'bad'; readonly path: string; readonly problem: string };

export function isStandardSchema(value: unknown): value is StandardSchema {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  const standard: unknown = (value as Partial<StandardSchema>)['~standard'];
  if (typeof standard !== 'object' || standard === null) return false;
  return typeof (standard as { validate?: unknown }).validate === 'function';
}

/** Check a value; what is good is what the schema makes of it. A schema that answers later is refused: a call has one deadline, and nothing waits before it. */
export function checkBy(schema: StandardSchema, value: unknown): Checked {
  const result = schema['~standard'].validate(value);
  if ('then' in result) {
    // Whatever it comes to is not waited for. Not every library's promise is one of ours.
    result.then(ignore, ignore);
    return { type: 'bad', path: '', problem: 'its schema answers asynchronously' };
  }
  if (result.issues === undefined) return { type: 'good', value: result.value };
  const [issue] = result.issues;
  const path = (issue?.path ?? []).map((step) =>
    String(typeof step === 'object' ? step.key : step),
  );
  return { type: 'bad', path: path.join('.'), problem: issue?.message ?? 'is invalid' };
}
