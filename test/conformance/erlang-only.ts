// Which numbered cases have no counterpart here, and why not? Data for `docs/conformance.md`.

/** A case that is about Erlang itself. */
export interface ErlangOnly {
  readonly number: number;
  /** Its name in its suite. */
  readonly name: string;
  /** Why it cannot, or need not, hold here; a whole sentence. */
  readonly reason: string;
}

const UPGRADE =
  'A flag is changed by `code_change`, the callback of a hot code upgrade; JavaScript replaces no code of a running program, and no call here changes the flags of a running supervisor.';
const MERGE =
  'Flags and specifications are merged by `code_change`, the callback of a hot code upgrade, which JavaScript does not have.';
const TUPLES =
  'It is about the specification as a tuple of six, which Elixir keeps for old programs; there are no old programs here, a specification is an object.';
const SPAWN_OPTIONS =
  'It sets the scheduling priority of an Erlang process; actors of one JavaScript thread have none.';
const MFA =
  'It gives the function as module, name and arguments instead of as a closure; in JavaScript both are a function, and the case with a function is here.';

export const ERLANG_ONLY: readonly ErlangOnly[] = [
  {
    number: 37,
    name: 'faulty_application_shutdown',
    reason:
      'It starts an OTP application, and there are none here. What it shows of supervisors, that a failed start tells its reason nested supervisor by supervisor, is tested beside case 12 under a sentence of its own.',
  },
  { number: 65, name: 'significant_upgrade_never_any', reason: UPGRADE },
  { number: 66, name: 'significant_upgrade_any_never', reason: UPGRADE },
  { number: 67, name: 'significant_upgrade_never_all', reason: UPGRADE },
  { number: 68, name: 'significant_upgrade_all_never', reason: UPGRADE },
  { number: 69, name: 'significant_upgrade_any_all', reason: UPGRADE },
  { number: 70, name: 'significant_upgrade_all_any', reason: UPGRADE },
  { number: 71, name: 'significant_upgrade_child', reason: UPGRADE },
  {
    number: 75,
    name: 'get_callback_module',
    reason:
      'The release handler asks a supervisor for the module of its callbacks, to upgrade that; there is no release handler here, and a supervisor has no module.',
  },
  { number: 83, name: 'code_change', reason: MERGE },
  { number: 84, name: 'code_change_map', reason: MERGE },
  { number: 85, name: 'code_change_simple', reason: MERGE },
  { number: 86, name: 'code_change_simple_map', reason: MERGE },
  { number: 97, name: 'init/2 with old and new child specs', reason: TUPLES },
  { number: 98, name: 'start_link/2 with old and new child specs', reason: TUPLES },
  { number: 104, name: 'start_child supports old child spec', reason: TUPLES },
  { number: 116, name: 'start_link with spawn_opt', reason: SPAWN_OPTIONS },
  {
    number: 117,
    name: 'sets initial call',
    reason:
      'It is about the entry that Erlang keeps of the function with which a process began, for its crash reports; an actor is identified by its path here.',
  },
  { number: 118, name: 'code_change with non-ok init', reason: MERGE },
  { number: 119, name: 'code_change with ok init', reason: MERGE },
  { number: 120, name: 'start_child supports old child spec', reason: TUPLES },
  { number: 174, name: 'Task.Supervisor with spawn_opt', reason: SPAWN_OPTIONS },
  { number: 197, name: 'async_stream with mfa', reason: MFA },
  { number: 210, name: 'async_stream_nolink with mfa', reason: MFA },
  {
    number: 228,
    name: 'nodedown, abcast, multi_call',
    reason: 'They are calls across Erlang nodes; there is one process here, and no distribution.',
  },
];
