// Which cases are there, and which of them had to be put in JavaScript's words? The list that the tests are measured by.

/** Cases of one kind of suite. Numbers are given once for all parts, without a gap. */
export interface Part {
  readonly title: string;
  /** What the cases are taken from. */
  readonly source: string;
  readonly from: number;
  readonly to: number;
}

export const PARTS: readonly Part[] = [
  {
    title: 'Part 1: supervisor',
    source: "Erlang/OTP's `supervisor_SUITE` (2025), all of its cases",
    from: 1,
    to: 93,
  },
  {
    title: 'Part 2: Supervisor and DynamicSupervisor',
    source:
      "Elixir's `supervisor_test` and `dynamic_supervisor_test` (1.21-dev), all of their cases",
    from: 94,
    to: 150,
  },
  {
    title: 'Part 3: PartitionSupervisor and Task.Supervisor',
    source:
      "Elixir's `partition_supervisor_test` and `task/supervisor_test` (1.21-dev), all of their cases",
    from: 151,
    to: 216,
  },
  {
    title: 'Part 4: Registry and calls',
    source: "Elixir's `registry` tests and `gen_server_test`, a selection",
    from: 217,
    to: 232,
  },
];

/** Cases that hold only after something was adapted: their scenario has to say what. */
export const ADAPTED: readonly number[] = [
  ...[13, 14, 26, 27, 29, 51, 56, 76, 78, 79, 88, 89, 90],
  ...[94, 95, 99, 100, 112, 115, 126],
  ...[152, 154, 162, 164, 172, 177, 180, 190, 204],
  221,
];
