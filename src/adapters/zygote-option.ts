// Does a bridge fork its workers from a zygote, and what does that import first? Resolves the option.
import { z } from 'zod';

/**
 * Whether workers are forked from a process that has done their imports: up in milliseconds, their memory shared. `false`: each is started by itself. `preload` names what is imported first,
 * `package.module`, or `package.module:attribute` where only asking for a name loads what is behind it. Where that leaves threads, connections or a GPU in use, workers are spawned as without it,
 * and the event `zygote.unsafe` says why. On Linux only; elsewhere it changes nothing.
 */
export type ZygoteOption = boolean | { readonly preload?: readonly string[] | undefined };

const MODULE = /^[\p{L}_][\w.]*(?::[\p{L}_][\w.]*)?$/u;

/** The option, as users write it. */
export const zygoteSchema = z.union(
  [
    z.boolean(),
    z.strictObject({
      preload: z
        .array(z.string().regex(MODULE, 'is no module such as torch or pkg.mod:name'))
        .optional(),
    }),
  ],
  'must be true, false or { preload: [modules] }',
);

interface Given {
  readonly bridge: ZygoteOption | undefined;
  readonly adapter: ZygoteOption | undefined;
  readonly platform: NodeJS.Platform;
}

/** The modules to import before the first fork, or that there is no zygote. The bridge's word wins over the adapter's; `true` alone keeps the adapter's modules. */
export function preloadOf({ bridge, adapter, platform }: Given): readonly string[] | 'no zygote' {
  const option = bridge ?? adapter ?? true;
  if (option === false || platform !== 'linux') return 'no zygote';
  for (const given of [bridge, adapter]) {
    if (typeof given === 'object' && given.preload !== undefined) return given.preload;
  }
  return [];
}
