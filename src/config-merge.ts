// What holds when several sources configure the same runtime? Option by option, the later source wins.

/** Objects that are one value: what is said of them replaces them whole. */
const WHOLE = ['adapter', 'store', 'logger'];

/** The options of both; those of `over` win. Groups of options are joined, lists and single values replaced. */
export function mergeConfigs(
  under: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = under[name];
    const isGroup = !WHOLE.includes(name) && isPlain(value) && isPlain(below);
    merged[name] = isGroup ? mergeConfigs(below, value) : value;
  }
  return merged;
}

/** Whether it is an object of options, and none of a class of its own, such as a logger. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
