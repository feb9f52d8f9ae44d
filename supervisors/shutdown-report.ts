// Is the way in which a child ended, when it was told to, worth a report? OTP's table (supervisor, `shutdown/1`), and Elixir's where it differs.
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import type { Shutdown } from '../actors/lifecycle/child.ts';
import type { RestartType } from './child-spec.ts';

/**
 * @param flavour `dynamic` for Elixir's DynamicSupervisor: `{shutdown, detail}` is always in order, and after `brutal_kill` only `killed` is.
 */
export function isShutdownError(
  reason: ExitReason,
  shutdown: Shutdown,
  restart: RestartType,
  flavour: 'static' | 'dynamic',
): boolean {
  const isPermanent = restart === 'permanent';
  const isPlainShutdown = reason.type === 'shutdown' && reason.detail === undefined;
  if (shutdown === 'brutal_kill') {
    if (reason.type === 'killed') return false;
    return flavour === 'dynamic' || isPermanent || !isOrderly(reason);
  }
  if (isPlainShutdown) return false;
  if (flavour === 'dynamic' && reason.type === 'shutdown') return false;
  return isPermanent || !isOrderly(reason);
}

function isOrderly(reason: ExitReason): boolean {
  return reason.type === 'normal' || reason.type === 'shutdown';
}
