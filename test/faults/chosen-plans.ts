// Which plans does a property play? The same each time, so that a change is judged by what it changes; `FAULT_SEED` plays others, `FAULT_RUNS` more or fewer.

/** How many plans each property plays. */
export const RUNS = Number(process.env['FAULT_RUNS'] ?? 400);
/** What the plans are drawn from. */
export const SEED = Number(process.env['FAULT_SEED'] ?? 21);
