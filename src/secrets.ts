// How does an argument stay out of every store and still come back? By its name, which the next process resolves by its own configuration.
import { SecretMissingError } from '../actors/ground/pool-errors.ts';
import type { ResolveSecret } from '../supervisors/pool/scope-store.ts';
import { Secret, secretNameOf } from './adapters/secret-mark.ts';

/** What a runtime is configured with: values by name, or functions that give them each time that they are needed; undefined: it is not there. */
export type Secrets = Readonly<Record<string, string | (() => string | undefined)>>;

const NONE: Readonly<Record<string, string>> = Object.freeze({});
/**
 * An argument whose value the runtime's `secrets` have under this name. Python gets the value; stores, and so the next process, get the name.
 * @throws TypeError when it is no name.
 */
export function secret(name: string): Secret {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError('secret() takes the name of a secret, a text that is not empty');
  }
  return new Secret(name);
}

/** What arguments a call is sent with, and which of them no store may have, by the names that stand for them. */
export interface SealedArgs {
  readonly args: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * Put the values in the place of `secret(…)`, and name each argument that is secret: by what its caller said, else as `<bridge>.<op>.<argument>`. One inside of an argument
 * stays where it is, and is refused with its path when the call is encoded.
 * @param args as they are sent.
 * @param marked arguments that the operation declares secret.
 * @throws {@link SecretMissingError} when a name is not known here.
 */
export function sealArgs(
  op: string,
  args: Readonly<Record<string, unknown>>,
  marked: readonly string[],
  bridge: string,
  resolve: ResolveSecret,
): SealedArgs {
  const secrets = new Map<string, string>();
  const values = new Map<string, unknown>();
  for (const [argument, given] of Object.entries(args)) {
    const name = secretNameOf(given);
    if (name !== undefined) {
      const value = resolve(name);
      if (value === undefined) throw new SecretMissingError(name);
      secrets.set(argument, name);
      values.set(argument, value);
    } else if (marked.includes(argument) && given !== undefined && given !== null) {
      secrets.set(argument, `${bridge}.${op}.${argument}`);
    }
  }
  if (secrets.size === 0) return { args, secrets: NONE };
  const all = [...Object.entries(args), ...values];
  return { args: Object.fromEntries(all), secrets: Object.fromEntries(secrets) };
}

/** How the names of a runtime's `secrets` are resolved. What is no text, or a function that throws, is not there. */
export function resolverOf(secrets: Secrets): ResolveSecret {
  return (name) => {
    const found: unknown = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
    const value: unknown = typeof found === 'function' ? valueOf(found as () => unknown) : found;
    return typeof value === 'string' ? value : undefined;
  };
}

function valueOf(give: () => unknown): unknown {
  try {
    return give();
  } catch {
    return undefined;
  }
}
