// May this call be made from inside that callback? Nested calls run in the thread that waits for the callback (`docs/protocol.md` §4.3).
import { CallAbortedError, OverloadedError } from '../../actors/ground/errors.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { CallRequest, CallSite } from './call-row.ts';

/**
 * @throws {@link CallAbortedError} when the call around it is over: nobody would run this one;
 *   {@link OverloadedError} when calls are nested too deep.
 */
export function assertNestable({ op }: CallRequest, { row, depth }: CallSite): void {
  if (row.phase !== 'running') {
    throw new CallAbortedError(
      op,
      'notSent',
      `call ${row.request.op}, inside which it is made, is over`,
    );
  }
  // The call at depth 1 is nobody's inner one; what is made inside a call at depth n has depth n + 1.
  if (depth > LIMITS.nestedDepthMax) {
    throw new OverloadedError(`call ${op}`, 'nestedDepthMax', LIMITS.nestedDepthMax);
  }
}
