// By which id does a store know a scope? ASCII without spaces, and never the same for two.
import type { ScopeKey } from '../../supervisors/pool/scope-store.ts';

/** E.g. `dspy/session/alice`. */
export function scopeIdOf(key: ScopeKey): string {
  const pool = escaped(key.pool);
  return key.scope === 'session'
    ? `${pool}/session/${escaped(key.sessionId)}`
    : `${pool}/${key.scope}`;
}

/** Letters, digits, `_`, `.` and `-` as they are; whatever else, halves of surrogate pairs too, by its number: `%2f;`. */
function escaped(text: string): string {
  return text.replaceAll(/[^\w.-]/gu, (char) => `%${char.codePointAt(0)?.toString(16) ?? ''};`);
}
