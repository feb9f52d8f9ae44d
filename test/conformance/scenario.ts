// How does a conformance test bear its number? Each numbered case of OTP's and Elixir's suites that holds here is one `scenario`; `docs/conformance.md` is made from these lines.
import { it } from 'vitest';

/**
 * One case. The call is read by the generator of `docs/conformance.md`, so the number, the name and the one line of adaptation are literals.
 *
 * @param number of the case, as in the list that the documentation explains.
 * @param name the case's name in its suite.
 * @param adapted what had to be put in JavaScript's words; an empty text where nothing had.
 */
export function scenario(
  number: number,
  name: string,
  adapted: string,
  run: () => Promise<void> | void,
): void {
  it(`${number} ${name}${adapted === '' ? '' : ` (adapted: ${adapted})`}`, run);
}
