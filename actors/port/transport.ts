// What does a port need of the connections to its process? The port for sockets; tests put scripted workers behind it.

/** The five connections of one incarnation (`docs/protocol.md` §1). */
export const LANES = ['control', 'calls', 'replies', 'stdout', 'stderr'] as const;
export type Lane = (typeof LANES)[number];

export type LinkFact<Name extends string = Lane> =
  | { readonly type: 'opened'; readonly lane: Name }
  | { readonly type: 'bytes'; readonly lane: Name; readonly bytes: Buffer }
  | { readonly type: 'ended'; readonly lane: Name };

/** `now`: with a system call of its own; `soon`: with all that is written in this turn of the event loop. */
export type WriteTime = 'now' | 'soon';

/** The connections of one incarnation, seen from Node. */
export interface Link {
  /** Write to a lane that Node writes to, the parts of one frame together. Bytes for a lane that is gone are dropped: its end is told as a fact. */
  write(
    lane: 'control' | 'calls',
    bytes: Uint8Array | readonly Uint8Array[],
    when?: WriteTime,
  ): void;
  /** Let go of all connections and of the nonce. No fact follows. */
  close(): void;
}

/** Where workers connect to. */
export interface Transport {
  /** What the worker must be told, e.g. the path of the socket. */
  readonly address: string;
  /** Expect the one worker that will show `nonce`. Facts come in the order of the bytes on each lane. */
  expect(nonce: string, listener: (fact: LinkFact) => void): Link;
}

/** The only connection of a zygote (`docs/protocol.md` §9). */
export const ZYGOTE_LANES = ['zygote'] as const;
export type ZygoteLane = (typeof ZYGOTE_LANES)[number];

/** That connection, seen from Node. */
export interface ZygoteLink {
  /** Bytes for a connection that is gone are dropped: its end is told as a fact. */
  write(bytes: Uint8Array): void;
  /** Write no more; what comes from the other side is still told. */
  end(): void;
  /** Let go of the connection and of the nonce. No fact follows. */
  close(): void;
}

/** Where zygotes connect to. */
export interface ZygoteTransport {
  readonly address: string;
  /** Expect the one zygote that will show `nonce`. */
  expectZygote(nonce: string, listener: (fact: LinkFact<ZygoteLane>) => void): ZygoteLink;
}
