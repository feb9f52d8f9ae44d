// Is this a back-off?

const KEYS = ['minMs', 'maxMs', 'resetAfterMs'];

/** @returns what is wrong with it, in words; nothing when it is absent or right. */
export function backoffProblem(backoff: unknown): string | undefined {
  if (backoff === undefined) return undefined;
  if (typeof backoff !== 'object' || backoff === null) return '{ minMs, maxMs } is expected';
  const unknown = Object.keys(backoff).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `${unknown} is unknown: known are ${KEYS.join(', ')}`;
  const { minMs, maxMs, resetAfterMs } = backoff as Record<string, unknown>;
  if (!isFinitePositive(minMs)) return 'minMs above 0 is expected';
  if (!isFinitePositive(maxMs) || maxMs < minMs) return 'maxMs of at least minMs is expected';
  if (resetAfterMs !== undefined && !isFinitePositive(resetAfterMs)) {
    return 'resetAfterMs above 0 is expected';
  }
  return undefined;
}

function isFinitePositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
