// How much is too much? Every bound of the runtime, with its unit in its name and its reason beside it.

export const LIMITS = {
  /** A frame's body. A batch of images fits; ten at once fit into memory. */
  frameBytesMax: 256 * 1024 * 1024,
  /** Its JSON: what stops the event loop while it is parsed. Half a second at the most. */
  headerBytesMax: 64 * 1024 * 1024,
  /** The first frame of a connection comes from a stranger, so it may be no larger than it must be. */
  laneFrameBytesMax: 4096,
  /** Linux cuts socket paths at 108 bytes, macOS at 104, and Node cuts silently: refuse well below. */
  socketPathBytesMax: 100,
  /** Bare Python starts in 10 to 100 ms; a hundred times that on a loaded machine. */
  helloTimeoutMs: 10_000,
  /** Importing torch or transformers takes 5 s warm and can take ten times that from a cold disk. */
  startTimeoutMs: 60_000,
  /** Asking an interpreter who it is: one short run of Python. */
  interpreterProbeTimeoutMs: 10_000,
  /** For the import of one package in a process of its own, when a bridge is looked at: as long as a worker may take to start. */
  importTrialTimeoutMs: 60_000,
  /** For one program that installs packages: torch is 200 MB with its wheels for the CPU, gigabytes without. */
  installTimeoutMs: 30 * 60_000,
  /** A process that has exited may have left a whole reply in the socket: wait this long for the end of the stream, which a grandchild may hold open. */
  drainAfterExitMs: 50,
  /** SIGKILL is certain but not instant (a core dump, a disk wait); after this the process is given up and the fact is reported. */
  reapTimeoutMs: 5_000,
  /** Between SIGTERM and SIGKILL, after the graceful time is over: enough for an atexit hook, not for a hang. */
  terminateGraceMs: 1_000,
  /** OTP's default shutdown time of a worker. */
  shutdownMs: 5_000,
  /** One line of a worker's output; longer lines are cut so that no log record is huge. */
  outputLineBytesMax: 8192,
  /** What an error quotes of a message that broke the rules: enough to recognise it, whatever its size. */
  quotedCharsMax: 64,
  /** The last bytes of stderr that a crash report carries: a traceback fits, a flood does not. */
  stderrTailBytesMax: 4096,
  /** The stacks of a process that was asked for them: those of a hundred threads. */
  dumpBytesMax: 64 * 1024,
  /** A worker's control thread says at once whether a waiting call is taken back; longer, and a handler holds the interpreter lock. */
  withdrawMs: 100,
  /** Below it a loaded machine cannot answer in time. */
  heartbeatMsMin: 100,
  /** A worker needs its five connections, its standard streams, and what an import opens. */
  openFilesMin: 16,
  /** Items of a stream that may be under way or waiting for their reader: enough to hide the way to Python and back, few enough to keep. */
  streamCredit: 16,
  /** Calls inside callbacks inside calls: each holds a frame of Python's stack, and a depth beyond this is a loop. */
  nestedDepthMax: 8,
  /** Calls that one worker may run at a time, or hold ahead: beyond it, its queue is what the pool's queue is for. */
  concurrencyMax: 1_024,
  prefetchMax: 1_024,
  /** Nesting of a value on the wire: far above real data, far below either side's stack. */
  valueDepthMax: 512,
  /** The default of one call, queue and start included (the ported design's 30 s). */
  callTimeoutMs: 30_000,
  /** The default wait for a free worker (the ported design's 5 s for DSPy). */
  checkoutTimeoutMs: 5_000,
  /** Calls that may wait in one pool. Beyond this a caller is better told at once. */
  queueLengthMax: 1_000,
  /** And their bytes: a thousand calls of 64 KiB each. */
  queueBytesMax: 64 * 1024 * 1024,
  /** Retries of a call by the pool: the original's three attempts. */
  maxRetries: 2,
  /** A worker beyond the size that had no call for this long is not needed. */
  idleTimeoutMs: 30_000,
  /** What a worker that is to be replaced gets: twice the default time of a call. */
  drainMs: 60_000,
  /** Between two tries of a start that nobody asked for by hand: the second comes soon, and a broken bridge is imported once a minute. */
  plannedStartBackoffMinMs: 1_000,
  plannedStartBackoffMaxMs: 60_000,
  /** Of a resize or a reload as a whole, by default: ten workers that each take a whole start time. */
  fleetOrderTimeoutMs: 600_000,
  /** Between two looks at whether a pool that drains is done: a call that waits may end without any worker. */
  drainLookMs: 20,
  /** So that workers that were started together are not replaced together. */
  recycleJitter: 0.1,
  /** The original's session time. */
  sessionTtlMs: 3_600_000,
  /** All of a session is replayed before its first call on a new worker: 16 MiB take a tenth of a second. */
  journalBytesMax: 16 * 1024 * 1024,
  /** A state that only a snapshot knows is gone with the worker if it is not taken at once. */
  snapshotEvery: 1,
  /** The same replay that fails so often fails always. */
  replayFailuresMax: 3,
  /** The original's circuit breaker. */
  breakerFailureThreshold: 5,
  breakerSuccessThreshold: 3,
  breakerOpenMs: 60_000,
  breakerHalfOpenCallsMax: 3,
  /** The default time of a call: what has no end by then has none. */
  breakerProbeTimeoutMs: 30_000,
  /** A fifth of the calls: a pool in trouble must not double its own load. */
  retryRatio: 0.2,
  retryBurst: 10,
  /** The first wait of a retry: a replacement is there after tens of ms, where the original's took a second and more. */
  retryBaseMs: 100,
  /** The default time of a call is 30 s: a longer wait leaves nothing to run in. */
  retryDelayMsMax: 10_000,
  /** The original's: a quarter less or more. */
  retryJitter: 0.25,
  /** One crash may be anybody's; two with the same call on board are the call's. */
  quarantineCrashes: 2,
  /** Snakepit's taint. */
  quarantineMs: 60_000,
  /** Different calls under suspicion: beyond it the oldest is forgotten. */
  quarantineEntriesMax: 256,
  /** Runs of one operation by which it is judged whether a call can still make it, and how many must be known. */
  runSamples: 32,
  runSamplesMin: 16,
  /** Operations whose runs are remembered. */
  runOperationsMax: 256,
  /** A call of the pool's own: a snapshot of a session, forgetting one. */
  internalCallMs: 30_000,
  /** Until a store is asked again that could not say what a pool's own scopes were. */
  storeRetryMs: 1_000,
  /** How often a store hears that a session is in use: so many times in its time. */
  touchesPerTtl: 8,
  /** A holder of a worker that makes no call for so long has forgotten it. */
  leaseMs: 60_000,
  /** Calls in one batch, and how long the first of them may be held back for others: beyond it the answers come late and all at once. */
  batchSizeMax: 1_024,
  batchWaitMsMax: 10_000,
  /** Of the arguments of one batch, as they are estimated: with every character escaped they still fit into a header. Beyond it one message more costs nothing. */
  batchBytesMax: 8 * 1024 * 1024,
  /** Workers of a pool by default (the ported design's 4 for DSPy). */
  poolSize: 4,
  /** A typing slip must not start a thousand Pythons. */
  poolSizeMax: 1_024,
  /** Sessions of one pool: each holds a journal, so their number is a matter of memory. */
  sessionsMax: 10_000,
  /** State-changing operations kept for one scope after compaction; all are replayed before the first call on a new worker. */
  journalEntriesMax: 1_000,
  /** Elixir's default: three restarts in five seconds. */
  maxRestarts: 3,
  periodMs: 5_000,
  /** A slow crash loop never trips the window: three failed starts in a row end it (a broken import does not mend itself). */
  maxConsecutiveStartFailures: 3,
  /** Elixir's default of a call between actors. */
  actorCallTimeoutMs: 5_000,
  /** Clean-up of a dead incarnation before its successor starts: longer is a leak that is reported, not a wait for ever. */
  cleanUpTimeoutMs: 5_000,
  /** Facts, ends and calls that one supervisor handles before the event loop has its turn: a child that dies at each start must not stop the world. */
  supervisorStepsPerTurn: 10_000,
  /** Depth and length of an error report's line: a report of a report must not fill a disk. */
  reportDepthMax: 8,
  reportCharsMax: 4_096,
  /** What the linter of trees calls too many crashes of one child until the top of its tree ends: three levels with the default of 3 restarts take 64. */
  lintCrashesMax: 100,
  /** What the linter of trees calls too long for an orderly stop: Kubernetes kills a container 30 s after it asked it to stop. */
  lintStopMsMax: 30_000,
  /** Replacements that the runtime itself orders (deadlines, aborts) in one `replacementPeriodMs`; further ones wait until the window allows them. */
  replacementsMax: 30,
  replacementPeriodMs: 10_000,
  /** Results of a task stream that wait behind a slow one: beyond this the stream starts nothing more until that one has ended. */
  streamBufferMax: 1_000,
  /** Who asked for a task, and who asked for that: a task that starts its own successor must not remember all of them. */
  taskCallersMax: 32,
  /** Between two pings: a frozen worker is known after four of them, and a thousand workers cost 500 pings a second. */
  heartbeatMs: 2_000,
  /** Unanswered pings in a row before anything is suspected: `sorted` of four million floats silences a worker for 1.3 s, one regular expression for 5 s. */
  heartbeatMissesMax: 3,
  /** A worker that works and does not answer is in one C call that holds the interpreter lock: the default call is over by then. */
  gilHoldMsMax: 30_000,
  /** For the stacks of a frozen worker: `faulthandler` writes them from the signal handler, without Python's lock. */
  dumpMs: 200,
  /** CPU time that a thread takes which only waits for the interpreter lock, in percent of a core: at most 1.1 % was measured, the rest is margin. */
  gilWaiterCpuPercent: 2,
  /** And all such threads together: more is a thread that computes. 32 waiting ones took 16 %. */
  gilWaitersCpuPercentMax: 25,
  /** What Linux counts CPU time in: two readings may be one tick apart by rounding alone. */
  cpuTickMs: 10,
  /** For a handler that looks at its flag between two steps, and for the reply on its way: a step is a few ms, or it would not look. */
  cancelFlagMs: 100,
  /** For an exception that is raised in the handler: it comes at the next bytecode, and `finally` blocks need their time. */
  cancelRaiseMs: 250,
  /** For SIGINT, which also ends a wait in the kernel (`sleep`, `read`), and the `finally` blocks behind it. */
  cancelInterruptMs: 250,
  /** For the other calls of a worker that must be replaced because one of them cannot be cancelled: as long as they would have at an orderly stop. */
  cancelDrainMs: 5_000,
  /** For a v1 script's answer to "what can you do", which not every script knows: it has answered a ping by then, so that it reads and is not importing. */
  v1CapabilitiesMs: 2_000,
  /** Segments of one frame: each is a view of its memory, so their number is a matter of memory. */
  segmentsMax: 65_536,
  /** Of an integer that is sent exactly: reading one takes time that grows faster than its length. */
  intHexDigitsMax: 65_536,
  /** NumPy has 64 since its version 2; 32 arrive everywhere. */
  arrayDimensionsMax: 32,
  /** Where in a value something is, in an error: a path of 512 steps, or of keys that are texts, is cut in the middle. */
  pathCharsMax: 300,
  /** From the order to the answer of a zygote: a fork of a process with gigabytes takes tens of ms, and on a starved machine ten times that. */
  forkTimeoutMs: 2_000,
  /** What a zygote gets to end when it is asked to: it holds nothing but what its preload registered with `atexit`. */
  zygoteShutdownMs: 1_000,
  /** What a zygote says of itself is small. */
  zygoteFrameBytesMax: 1024 * 1024,
  /** Guardians that may die in one `guardianReplacementPeriodMs` and be replaced at once; whatever kills more of them would kill the next one too. */
  guardianReplacementsMax: 5,
  guardianReplacementPeriodMs: 10_000,
  /** For the last look of a guardian whose run has ended: 20 rounds take 0.8 s, plus a read of every environment. */
  guardianEndTimeoutMs: 2_000,
  /** Ends that a new guardian is told again, since its predecessor may have died before it read them. */
  guardianEndsKept: 256,
  /** 10 000 lines: a guardian that has not read them does not read. */
  guardianBacklogBytesMax: 1024 * 1024,
  /** Lines of a ledger before it is written anew with the living only; and how often there must be more lines than these. */
  ledgerLinesMin: 1_024,
  ledgerLinesPerLiving: 8,
  /** A ledger of another run: a thousand workers take 100 KB. What is larger is none of ours. */
  ledgerBytesMax: 16 * 1024 * 1024,
  /** What one start may spend on runs that are dead: folders that it looks into, and time. The next start goes on. */
  sweepDirectoriesMax: 1_024,
  sweepTimeoutMs: 2_000,
  /** Rounds of killing a dead run's processes before its folder is left to the next start. */
  sweepRoundsMax: 20,
  /** Between two of them: SIGKILL is certain but not instant. */
  sweepPauseMs: 20,
  /** Lines of the default log that may wait for whoever reads stderr: 10 000 of them. Beyond it they are lost, since a log must not take the memory of its program. */
  logBacklogBytesMax: 4 * 1024 * 1024,
  /** Until a full pipe is tried again. */
  logRetryMs: 100,
  /** For one order to a store of sessions: a save takes milliseconds, and a caller waits for it. */
  storeTimeoutMs: 5_000,
  /** Orders to one store that somebody waits for: one for each session of a full pool. */
  storeWaitingMax: 10_000,
  /** For another process that writes to the same SQLite file: well below the time of an order, so that the reason can be told. */
  sqliteBusyMs: 2_000,
  /** Orders that share one transaction of SQLite, and so one wait for the disk. */
  sqliteBatchMax: 256,
  /** Scopes whose time is over that one transaction sweeps away: more than it can add, so that they never pile up. */
  sqliteSweptMax: 512,
  /** Changes of a registry that wait for the one under way: nobody registers bridges by the hundred. */
  registryChangesMax: 100,
  /** One question to a registry, or one change: a look at packages imports them, and torch takes seconds each time. */
  registryCallTimeoutMs: 180_000,
  /** Programs of which the unified interface remembers the bridge: those with ids that their callers chose. The oldest are forgotten first. */
  chosenIdsMax: 100_000,
  /** What the journal of a scope of scikit-learn may hold: four times that of others, since training data is in it. */
  sklearnJournalBytesMax: 64 * 1024 * 1024,
  /** For a worker of Transformers: torch takes seconds to import, and ten times that from a cold disk on a busy machine. */
  transformersStartTimeoutMs: 120_000,
  /** For a call to it, or its wait for a worker: a large model takes a minute to be read, and a long text as much to be written. */
  transformersCallTimeoutMs: 120_000,
  /** Calls whose texts go through a model in one pass: more take more memory and no less time. */
  transformersBatchMax: 32,
} as const;
