// What may an operation say of its batches?
import { z } from 'zod';

import { LIMITS } from '../../actors/ground/limits.ts';

/** The option, as an adapter writes it. A wait of none puts together what waits for a worker, and holds nothing back. */
export const batchSchema = z.strictObject(
  {
    maxSize: z.int().min(1).max(LIMITS.batchSizeMax),
    maxWaitMs: z.number().min(0).max(LIMITS.batchWaitMsMax),
  },
  'must be { maxSize, maxWaitMs }',
);
