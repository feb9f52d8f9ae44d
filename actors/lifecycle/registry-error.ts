// Why did a registry refuse? Elixir's error terms, as errors with a code.
import { CaduceusError } from '../ground/errors.ts';
import type { ActorRef } from './ref.ts';

/** Why a registry refused; docs/errors.md says what each means. */
export type RegistryCode =
  | 'already_registered'
  | 'already_started'
  | 'unknown_registry'
  | 'not_unique'
  | 'no_owner'
  | 'noproc';

const TEXTS: Readonly<Record<RegistryCode, string>> = {
  already_registered: 'the key is taken: who has it lives',
  already_started: 'a registry of that name is running',
  unknown_registry: 'there is no registry of that name',
  not_unique: 'only a registry with unique keys can do that',
  no_owner: 'no actor’s code runs here: say for whom with { as: ref }',
  noproc: 'the actor has ended',
};

/** A registry would not do what it was asked; nothing has changed. */
export class RegistryError extends CaduceusError {
  readonly code: RegistryCode;
  readonly category = 'system_error';
  readonly registry: string;
  /** With `already_registered`: who has the key. */
  readonly ref: ActorRef | undefined;

  constructor(code: RegistryCode, registry: string, op: string, ref?: ActorRef) {
    super(`${op} in registry ${registry}: ${TEXTS[code]}`);
    this.code = code;
    this.registry = registry;
    this.ref = ref;
  }
}
