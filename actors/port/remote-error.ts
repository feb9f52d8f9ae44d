// Is this a Python exception as data? `docs/protocol.md` §4.1.
import { z } from 'zod';

import type { RemoteError } from '../ground/worker-facts.ts';

const CAUSES_MAX = 8;

/** Built to its depth, since a worker could nest causes until a recursive check exhausts the stack. */
function remoteErrorSchema(causesMax: number): z.ZodType<RemoteError> {
  return z.object({
    type: z.string(),
    message: z.string(),
    traceback: z.string(),
    code: z.string(),
    retryAfterMs: z.number().min(0).optional(),
    cause: causesMax === 0 ? z.undefined().optional() : remoteErrorSchema(causesMax - 1).optional(),
  });
}

/** A Python exception as data, on whichever lane. */
export const remoteError = remoteErrorSchema(CAUSES_MAX);
