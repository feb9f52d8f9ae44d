// Where does chance come from? The only file that asks the machine for a random number.

/** The port for chance. Tests pass a seeded one, so that a run repeats exactly. */
export interface Random {
  /** A number from 0 (included) to 1 (excluded), all equally likely. */
  next(): number;
}

/** Chance from the JavaScript engine: good for jitter, never for secrets (those come from `Ids`). */
export const systemRandom: Random = { next: () => Math.random() };
