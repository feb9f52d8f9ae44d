// What does a v1 script say of itself, as far as it does? Its answers are looked at, and what is missing has a name of its own. Pure.
import { createHash } from 'node:crypto';
import { z } from 'zod';

import type { WorkerInfo } from '../ground/worker-facts.ts';

/** Judged as a whole: one finding for each item of a huge array would take more memory than there is. */
const texts = z.custom<readonly string[]>(
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
);
const pingSchema = z.object({
  framework: z.object({ name: z.string(), version: z.string(), capabilities: texts }),
});
const capabilitiesSchema = z.object({ supported_operations: texts });

/** The framework that an answer to `ping` names, which only the ported design's bridges do. */
export function frameworkOf(result: unknown, bridge: string): WorkerInfo['framework'] {
  const parsed = pingSchema.safeParse(result);
  if (parsed.success) return parsed.data.framework;
  return { name: bridge, version: 'unknown', capabilities: [] };
}

/** The operations that an answer to `get_capabilities` lists. */
export function operationsOf(result: unknown): readonly string[] {
  const parsed = capabilitiesSchema.safeParse(result);
  return parsed.success ? parsed.data.supported_operations : [];
}

/** All of it, as a worker of version 2 would tell it: one call at a time, and nothing is known of single operations. */
export function legacyInfo(
  bridge: string,
  framework: WorkerInfo['framework'],
  operations: readonly string[],
): WorkerInfo {
  return {
    ...{ bridge, framework, operations, schemas: {} },
    schemaHash: hashOf(operations),
    ...{ execution: 'sync', concurrency: 1 },
  };
}

/** Without schemas, as `docs/protocol.md` §3 has it. */
function hashOf(operations: readonly string[]): string {
  const json = JSON.stringify([[...operations].sort(), {}]);
  return createHash('sha256').update(json).digest('hex');
}
