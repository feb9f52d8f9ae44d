// What does each state mean, in one sentence? And in which few words does the small picture say what moves it?

/** By the state's own name. Every state has one, and nothing else does. */
export type Meanings = Readonly<Record<string, string>>;

export const WORKER_MEANINGS: Meanings = {
  incarnation: 'One process of this worker, from its start to its end; it has one epoch.',
  spawning: 'Started and not ready yet.',
  launching: 'The process has not said hello yet.',
  importing: 'It has said hello, and imports the framework and builds its bridge.',
  ready: 'It has no call, and takes one.',
  busy: 'It has a call; going from one to the next leaves it here.',
  draining: 'Asked to stop while it had a call: it finishes that, takes no other and exits.',
  stopping: 'Asked to stop, and not ended yet.',
  asking: 'It was asked to exit by itself.',
  terminating: 'SIGTERM was sent to its process group.',
  killing: 'SIGKILL was sent to its process group.',
  exiting: 'It has failed and was killed; what is missing is the exit of the process.',
  crashed: 'Its process ended without being asked; it waits for the verdict of its supervisor.',
  restarting: 'The verdict was restart: the back-off runs, and the next incarnation follows.',
  stopped: 'Over; the output is the exit reason. The next start is a new life.',
};

export const ZYGOTE_MEANINGS: Meanings = {
  incarnation: 'One process of this zygote, from its start to its end; it has one epoch.',
  spawning: 'Started and not ready yet.',
  launching: 'The process has not said hello yet.',
  importing: 'It has said hello, and imports what its workers shall find imported.',
  serving: 'It forks workers.',
  unfit:
    'It forks nobody: it was not ready in time, its imports failed, or a fork would not be safe. Its process is let go of, and its workers are spawned without it.',
  stopping: 'Asked to stop, and not ended yet.',
  asking: 'Its connection was ended, which asks it to exit.',
  terminating: 'SIGTERM was sent to its process group.',
  killing: 'SIGKILL was sent to its process group.',
  exiting: 'It has failed and was killed; what is missing is the exit of the process.',
  crashed: 'Its process ended without being asked; its workers have died with it.',
  restarting: 'The verdict was restart: the back-off runs, and the next incarnation follows.',
  stopped: 'Over; the output is the exit reason. The next start is a new life.',
};

export const LIVENESS_MEANINGS: Meanings = {
  beating: 'It answers, or has not been silent for long enough to say anything.',
  suspected: 'It does not answer, and has used no CPU time since the last beat.',
  holding:
    'It does not answer and works: one call into C that holds the interpreter lock. It is left alone until `gilHoldMsMax`.',
  dumping: 'It was asked for its stacks; an answer still saves it.',
  over: 'The verdict was given: `stopped`, `gil_held` or `frozen`.',
};

export const CANCELLATION_MEANINGS: Meanings = {
  flagged: 'Its handler can see that it is cancelled.',
  raised: '`CallCancelled` was raised in its handler, or its task was cancelled.',
  interrupted: 'SIGINT was sent to its process.',
  draining:
    'Nothing gentler is left that would spare the other calls of its worker: they may finish, and no new one comes.',
  condemned: 'Nothing has helped: its process is to be killed.',
  settled: 'It is over; the last means that was used is the one that was needed.',
};

export const BREAKER_MEANINGS: Meanings = {
  closed: 'Every call goes to the workers; failures with no success between them are counted.',
  open: 'No call goes to them, until none has failed for its time.',
  half_open: 'A few calls at a time go to them, and show whether it can be closed.',
  waiting: 'None of these is under way.',
  probing: 'Some are; the oldest one has its time to end.',
};

export const POOL_MEANINGS: Meanings = {
  unstarted: 'It starts on demand, and nobody has called it yet.',
  starting: 'Its tree is started; calls wait for the first worker.',
  serving: 'A worker has been ready: calls go to its workers.',
  draining: 'New calls are refused; those that it has accepted end, within the time of the order.',
  stopping: 'What waited is failed; its workers are told to end.',
  stopped: 'It has no workers; its sessions are kept.',
  failed: 'Its workers cannot be kept up: calls are refused with the reason.',
  ending: 'What is left of its tree ends.',
  ending_first: 'The same, and it was told to start again: it does so then.',
  waiting: 'It starts again by itself after the time of its breaker.',
  closed: 'The runtime ends, and its root stops the tree.',
};

export const REGISTRY_MEANINGS: Meanings = {
  serving: 'Questions are answered, and nothing is being changed.',
  changing: 'A bridge is being added or taken away; further changes wait.',
};

export const LIFECYCLE_MEANINGS: Meanings = {
  spawning: 'Its start function runs, or its logic is in a state with the tag `starting`.',
  ready: 'It runs.',
  crashed: 'It ended without being asked.',
  cleaning: 'Its clean-up runs; its references are dead.',
  reaped: 'Nothing of the incarnation is left; it waits for the verdict of its supervisor.',
  restarting: 'The verdict was restart: the back-off runs, where there is one.',
  stopping: 'Asked to stop, and not ended yet.',
  choosing: 'How it is stopped depends on its shutdown.',
  asking: 'It was asked to end, and has its shutdown time for that, its clean-up included.',
  waiting: 'It was asked to end, and may take as long as it likes: `infinity`.',
  finishing: 'It had crashed before it was asked: only its clean-up is waited for.',
  killed:
    'Detached: its references are dead, its events are dropped, nobody waits for what it still does.',
  stopped: 'Over; the output is the exit reason. The next start is a new life.',
};

export const SUPERVISOR_MEANINGS: Meanings = {
  starting: 'Starts its children in their order, each when the one before is ready.',
  running: 'All children were started.',
  waiting: 'Free for the next message: an end to be judged, a retry, a call.',
  restarting:
    'Stops the group that its strategy names, and starts it again; whatever else comes waits.',
  serving: 'Starts or stops one child for a caller.',
  stopping: 'Stops its children, the last one first.',
  stopped: 'Over; the output is the exit reason.',
};

/** By event or delay of the worker machine, and by the one guard that changes what an event means. */
export const WORKER_WORDS: Readonly<Record<string, string>> = {
  'process.greeted': 'hello',
  'process.ready': 'ready',
  'process.failed': 'start failed',
  'process.broken': 'rules broken',
  'process.exited': 'exit',
  'call.started': 'call',
  'call.ended': 'reply',
  'worker.restart': 'restart',
  'worker.stop': 'stop',
  isBrutal: 'brutal stop',
  helloTimeout: 'timeout',
  startTimeout: 'timeout',
  shutdownTimeout: 'timeout',
  terminateGrace: 'timeout',
  reapTimeout: 'timeout',
  backoff: 'back-off over',
};
