// How much is too much for the local model? Its own bounds, each with its reason. They bound a test server, not the runtime.

export const LOCAL_MODEL_LIMITS = {
  /** A request's body. A long prompt is kilobytes; 8 MiB still fits a large batch of texts to embed. */
  bodyBytesMax: 8 * 1024 * 1024,
  /** Requests that are remembered for a test to look at. Older ones are forgotten first. */
  requestsKeptMax: 512,
  /** Text of all remembered requests together, so that large prompts cannot fill the memory. */
  requestsKeptCharsMax: 16 * 1024 * 1024,
  /** Requests that nobody has waited for yet. The same as what is remembered. */
  waitersMax: 512,
  /** The default wait for a request. A test that waits longer has a fault worth hearing about. */
  nextRequestTimeoutMs: 5_000,
  /** An answer's text. It quotes sentences, and one "sentence" may be a whole file without a full stop. */
  answerCharsMax: 4_000,
  /** Words that are read from a passage. Scoring is linear in them, and 200 000 is a long novel. */
  passageCharsMax: 1_000_000,
  /** Text that is searched for arithmetic. A question is short; a whole file is not a question. */
  arithmeticCharsMax: 2_000,
  /** Brackets within brackets. The parser is recursive, and no honest sum needs more. */
  nestingMax: 64,
  /** Digits of a result. 2^1000 has 302; a tower of powers would take all memory. */
  digitsMax: 400,
  /** Levels of a JSON schema that are filled. Schemas may refer to themselves. */
  schemaDepthMax: 8,
  /** Texts in one embeddings request: OpenAI's own bound. */
  embeddingInputsMax: 2_048,
  /** Numbers in one embedding by default: small enough to read, large enough that words rarely collide. */
  embeddingDimensions: 256,
  /** OpenAI's largest embedding has 3 072 numbers. */
  embeddingDimensionsMax: 3_072,
  /** Faults that wait to be used. More than that is a loop that injects without end. */
  faultsMax: 1_000,
  /** Longest wait that Node's timers can hold (2^31 - 1 ms); beyond it they fire at once. */
  delayMsMax: 2 ** 31 - 1,
} as const;
