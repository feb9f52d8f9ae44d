// What is a peer to the benchmark? One Python process that gives back the text it was sent, by somebody else's line.

/** What a peer gets to start with. */
interface PeerStage {
  /** The interpreter with the peers' packages: the same that our side of the contest runs on. */
  readonly python: string;
  /** This peer's folder of programs. */
  readonly folder: string;
  /** Private, for sockets. */
  readonly scratch: string;
  /** A package from the peers' own lock. Its types are the driver's business. */
  readonly load: (name: string) => Promise<unknown>;
}

export interface RunningPeer {
  /** The Python side gives `text` back. */
  readonly echo: (text: string) => Promise<string>;
  readonly stop: () => Promise<void>;
  /** Of its Python process. */
  readonly pid: number | undefined;
}

export interface Peer {
  readonly name: string;
  /** In one line: what is compared. */
  readonly what: string;
  readonly must: number | null;
  readonly aim: number | null;
  /** Packages whose versions belong to the figure, of npm and of Python. */
  readonly packages: { readonly node: readonly string[]; readonly python: readonly string[] };
  readonly start: (stage: PeerStage) => Promise<RunningPeer>;
}
