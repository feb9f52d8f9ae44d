// What does each call of the supervisor's API do with a child in this place? OTP's tables (supervisor, `handle_call`), as pure functions.
import type { RefusalCode } from './supervision-errors.ts';

/** Where a child stands, as OTP's `pid` field tells it. `queued`: it waits for its turn to be launched. */
export type Place = 'absent' | 'down' | 'queued' | 'starting' | 'up' | 'restarting';

export interface Refusal {
  readonly type: 'refuse';
  readonly code: RefusalCode;
}

const refuse = (code: RefusalCode): Refusal => ({ type: 'refuse', code });

/** `startChild` with the id of a child in this place. */
export function judgeStartChild(place: Place): { readonly type: 'start' } | Refusal {
  switch (place) {
    case 'absent':
      return { type: 'start' };
    case 'down':
    case 'restarting':
      return refuse('already_present');
    case 'queued':
    case 'starting':
    case 'up':
      return refuse('already_started');
    default:
      return place satisfies never;
  }
}

/** `restartChild`: only what is down can be started. Never counted in the intensity. */
export function judgeRestartChild(place: Place): { readonly type: 'start' } | Refusal {
  switch (place) {
    case 'absent':
      return refuse('not_found');
    case 'down':
      return { type: 'start' };
    case 'restarting':
      return refuse('restarting');
    case 'queued':
    case 'starting':
    case 'up':
      return refuse('running');
    default:
      return place satisfies never;
  }
}

/** `deleteChild`: only what is down can be forgotten. */
export function judgeDeleteChild(place: Place): { readonly type: 'delete' } | Refusal {
  const verdict = judgeRestartChild(place);
  return verdict.type === 'start' ? { type: 'delete' } : verdict;
}

/** `terminateChild`: `settle` where nothing runs; it also ends a loop of failed restarts. */
export function judgeTerminateChild(
  place: Place,
): { readonly type: 'stop' } | { readonly type: 'settle' } | Refusal {
  switch (place) {
    case 'absent':
      return refuse('not_found');
    case 'down':
    case 'queued':
    case 'restarting':
      return { type: 'settle' };
    case 'starting':
    case 'up':
      return { type: 'stop' };
    default:
      return place satisfies never;
  }
}

/** `startChild` of a dynamic supervisor: children that are being restarted count. */
export function judgeStartDynamic(
  childrenCount: number,
  maxChildren: number,
): { readonly type: 'start' } | Refusal {
  return childrenCount < maxChildren ? { type: 'start' } : refuse('max_children');
}

/**
 * `terminateChild` by a reference that no child of this supervisor has. OTP's simple_one_for_one answers `ok` for the dead, who may have been its child;
 * Elixir's DynamicSupervisor knows no such child either way.
 */
export function judgeStranger(
  flavour: 'static' | 'dynamic',
  stranger: 'alive' | 'dead',
): { readonly type: 'settle' } | Refusal {
  return flavour === 'static' && stranger === 'dead' ? { type: 'settle' } : refuse('not_found');
}
