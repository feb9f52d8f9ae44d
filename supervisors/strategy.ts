// Who goes down with a child that is restarted, and who comes up? OTP's strategies (supervisor, "Restart Strategy"; `restart/3`).
import type { RestartType } from './child-spec.ts';
import type { Strategy } from './supervisor-flags.ts';

/** A child as its strategy sees it. */
export interface Member {
  readonly id: string;
  readonly restart: RestartType;
}

/** What a restart does to the group. All lists are ids in start order; who is stopped is stopped from the end. */
export interface Blast {
  /** To be stopped, where it still runs. The child that is restarted is not among them. */
  readonly stop: readonly string[];
  /** Temporary bystanders: stopped, and not known any more. */
  readonly remove: readonly string[];
  /** Started then, also those that were down before: only `deleteChild` keeps a child of the group from coming back. */
  readonly start: readonly string[];
}

/**
 * @param members all children in start order.
 * @param id the child that is restarted: one of them.
 */
export function blastOf(strategy: Strategy, members: readonly Member[], id: string): Blast {
  const group = groupOf(strategy, members, id);
  const bystanders = group.filter((member) => member.id !== id);
  return {
    stop: bystanders.map((member) => member.id),
    remove: bystanders.filter(isTemporary).map((member) => member.id),
    start: group
      .filter((member) => member.id === id || !isTemporary(member))
      .map((member) => member.id),
  };
}

function groupOf(strategy: Strategy, members: readonly Member[], id: string): readonly Member[] {
  const index = members.findIndex((member) => member.id === id);
  switch (strategy) {
    case 'one_for_one':
    case 'simple_one_for_one':
      return members.slice(index, index + 1);
    case 'one_for_all':
      return members;
    case 'rest_for_one':
      return members.slice(index);
    default:
      return strategy satisfies never;
  }
}

function isTemporary({ restart }: Member): boolean {
  return restart === 'temporary';
}
