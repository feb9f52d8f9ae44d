// Can this value cross the wire? The older name of a question that `codec.ts` answers.
import { encodeValue } from './codec.ts';

/**
 * Refuse what cannot be sent.
 * @deprecated keep what {@link encodeValue} returns instead: it is what is sent.
 * @throws `UnencodableError` with the path of the first such value.
 */
export function assertEncodable(value: unknown, path: string): void {
  encodeValue(value, path);
}
