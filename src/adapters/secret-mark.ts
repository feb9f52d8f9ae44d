// How does an argument say that it is only the name of a secret? By a mark that nothing takes for a value.
import { z } from 'zod';

/** The same for two copies of this package. */
const NAME = Symbol.for('caduceus.secret');

/** Stands for the value of a secret, and has nothing in it but its name. Of a class of its own, so that nothing takes it for a value: wherever it is not resolved it is refused, with its path. */
export class Secret {
  readonly [NAME]: string;

  /** @internal `secret(name)` makes it. */
  constructor(name: string) {
    this[NAME] = name;
    Object.freeze(this);
  }
}

/** The name of the secret that this stands for; undefined when it is a value. */
export function secretNameOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !(NAME in value)) return undefined;
  const name = (value as Secret)[NAME];
  return typeof name === 'string' ? name : undefined;
}

/** A text, or the name of a secret that is one. */
export const secretTextSchema = z.union([
  z.string(),
  z.custom<Secret>((value) => secretNameOf(value) !== undefined),
]);
