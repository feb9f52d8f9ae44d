// What would DSPy answer, without DSPy? The ported design's mock: by the signature's types, and always the same for the same inputs.
import type { Args } from './adapter.ts';
import type { MockContext } from './operation.ts';

/** A refusal with the code that the bridge would give it. */
class MockError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.name = 'BridgeError';
    this.code = code;
  }
}

interface Field {
  readonly name: string;
  readonly type: string;
}

interface Program {
  readonly args: Args;
  readonly inputs: readonly Field[];
  readonly outputs: readonly Field[];
}

type Mock = (args: Args, context: MockContext) => unknown;

const DUMP_FORMAT = 1;
/** FNV-1a's, of 32 bits. */
const HASH_BASIS = 0x811c9dc5;
const HASH_PRIME = 0x01000193;
const INT_MAX = 1_000;
const BASE = 36;

const createProgram: Mock = (args, { state }) => {
  const program = programOf(args);
  state.set(keyOf(args['id']), program);
  return { program_id: args['id'], status: 'created', ...described(program) };
};

const loadProgram: Mock = (args, { state }) => {
  const program = programOf({ ...(args['program'] as Args), id: args['id'] });
  state.set(keyOf(args['id']), program);
  return { program_id: args['id'], status: 'loaded', ...described(program) };
};

const executeProgram: Mock = (args, context) => {
  const { usage, ...executed } = run(args, context);
  return args['usage'] === true ? { ...executed, usage } : executed;
};

function* streamProgram(args: Args, context: MockContext): Generator {
  const last = run(args, context);
  for (const [field, value] of Object.entries(last.outputs)) {
    if (typeof value !== 'string') continue;
    for (const text of value.split(/(?=_)/u)) yield { field, text };
  }
  yield last;
}

const listPrograms: Mock = (_args, { state }) => {
  const programs = [...state]
    .filter(([key]) => key.startsWith(keyOf('')))
    .map(([, program]) => infoOf(program as Program));
  return { programs, total_count: programs.length };
};

const getProgramInfo: Mock = (args, context) => {
  const program = find(args, context);
  const { tools = [], max_iters: maxIters = null } = program.args;
  return {
    program_id: args['program_id'],
    ...infoOf(program),
    signature_def: { inputs: program.inputs, outputs: program.outputs },
    tools,
    max_iters: maxIters,
    demos_count: 0,
  };
};

const dumpProgram: Mock = (args, context) => dumpOf(find(args, context));

const deleteProgram: Mock = (args, context) => {
  find(args, context);
  context.state.delete(keyOf(args['program_id']));
  return { program_id: args['program_id'], status: 'deleted' };
};

const optimizeProgram: Mock = (args, context) => {
  const demos = (args['trainset'] as readonly unknown[]).length;
  return {
    program: dumpOf(find(args, context)),
    demos_count: demos,
    bootstrapped_count: 0,
    errors_count: 0,
    execution_time_ms: 0,
  };
};

const evaluateProgram: Mock = (args, context) => {
  const program = find(args, context);
  const results = (args['devset'] as readonly Args[]).map((example) => {
    const outputs = outputsOf(program, inputsOf(program, example));
    const isSame = program.outputs.every(({ name }) => outputs[name] === example[name]);
    return { score: isSame ? 1 : 0, outputs };
  });
  const score = results.reduce((sum, each) => sum + each.score, 0) / results.length;
  return {
    ...{ score, results, total_count: results.length },
    ...{ errors_count: 0, execution_time_ms: 0 },
  };
};

const configureLm: Mock = (args, { sessionId }) => ({
  status: 'configured',
  model: args['model'],
  scope: sessionId === undefined ? 'bridge' : 'session',
  cache: args['cache_dir'] === undefined ? (args['cache'] === 'memory' ? 'memory' : 'off') : 'disk',
});

const forgetSession: Mock = (args, { sessionId, state }) => {
  const forgotten = (args['session_id'] as string | undefined) ?? sessionId;
  if (forgotten === undefined) {
    throw new MockError(
      'forget_session needs session_id, or a call in a session',
      'invalid_arguments',
    );
  }
  state.clear();
  return { session_id: forgotten, status: 'forgotten' };
};

/** For each operation, what test layers 1 and 2 answer. */
export const DSPY_MOCKS = {
  configureLm,
  createProgram,
  executeProgram,
  streamProgram,
  listPrograms,
  getProgramInfo,
  deleteProgram,
  dumpProgram,
  loadProgram,
  optimizeProgram,
  evaluateProgram,
  forgetSession,
} as const;

function keyOf(id: unknown): string {
  return `program ${String(id)}`;
}

function find(args: Args, { state, sessionId }: MockContext): Program {
  const found = state.get(keyOf(args['program_id']));
  if (found !== undefined) return found as Program;
  const scope = sessionId === undefined ? 'the anonymous scope' : `session '${sessionId}'`;
  const message = `there is no program '${String(args['program_id'])}' in ${scope}`;
  throw new MockError(message, 'program_not_found');
}

function run(args: Args, context: MockContext): { readonly outputs: Args; readonly usage: Args } {
  const program = find(args, context);
  const inputs = args['inputs'] as Args;
  const missing = program.inputs.filter(({ name }) => !(name in inputs)).map(({ name }) => name);
  if (missing.length > 0) {
    throw new MockError(`the inputs: missing ${missing.join(', ')}`, 'invalid_arguments');
  }
  const outputs = outputsOf(program, inputs);
  return {
    ...{ program_id: args['program_id'], outputs },
    ...{ usage: {}, execution_time_ms: 0 },
  };
}

function inputsOf({ inputs }: Program, example: Args): Args {
  return Object.fromEntries(inputs.map(({ name }) => [name, example[name]]));
}

/** Of the inputs alone: run or streamed, today or tomorrow, they are the same. */
function outputsOf(program: Program, inputs: Args): Args {
  const kind = program.args['program_type'];
  const added = kind === 'predict' ? [] : [{ name: 'reasoning', type: 'str' }];
  const fields = [...added, ...program.outputs];
  const outputs = fields.map(({ name, type }) => [name, valueOf(name, type, inputs)] as const);
  return { ...(kind === 'react' && { trajectory: {} }), ...Object.fromEntries(outputs) };
}

function valueOf(name: string, type: string, inputs: Args): unknown {
  const hash = hashOf(JSON.stringify([name, inputs]));
  const options = /^Literal\[(?<options>.*)\]$/u.exec(type)?.groups?.['options'];
  if (options !== undefined) {
    const texts = options.split(',').map((each) => each.trim().replace(/^['"]|['"]$/gu, ''));
    return texts[hash % texts.length];
  }
  if (/^(?:int|integer)$/u.test(type)) return hash % INT_MAX;
  if (/^(?:float|number)$/u.test(type)) return (hash % INT_MAX) / 10;
  if (type.startsWith('bool')) return hash % 2 === 0;
  if (type.startsWith('list')) return [];
  if (type.startsWith('dict')) return {};
  return `mock_response_${name}_${hash.toString(BASE)}`;
}

function hashOf(text: string): number {
  let hash = HASH_BASIS;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, HASH_PRIME) >>> 0;
  return hash;
}

function programOf(args: Args): Program {
  const { signature } = args;
  const sides =
    typeof signature === 'string'
      ? signature.split('->').map(fieldsOfText)
      : ['inputs', 'outputs'].map((side) => fieldsOf((signature as Args)[side]));
  const [inputs = [], outputs = []] = sides;
  if (sides.length !== 2 || outputs.length === 0) {
    throw new MockError('invalid signature: there is no output field', 'invalid_signature');
  }
  return { args, inputs, outputs };
}

/** Commas inside of brackets belong to a type. */
function fieldsOfText(side: string): readonly Field[] {
  const texts = side.split(/,(?![^[]*\])/u).map((each) => each.trim());
  return texts
    .filter((each) => each !== '')
    .map((each) => {
      const [name = '', type = 'str'] = each.split(/:(?=[^\]]*)/u).map((part) => part.trim());
      return { name, type };
    });
}

function fieldsOf(fields: unknown): readonly Field[] {
  const given = (fields ?? []) as readonly { readonly name: string; readonly type?: string }[];
  return given.map(({ name, type = 'str' }) => ({ name, type }));
}

function described({ args, inputs, outputs }: Program): Args {
  const text = (fields: readonly Field[]): string =>
    fields.map(({ name, type }) => `${name}: ${type}`).join(', ');
  return {
    program_type: args['program_type'] ?? 'predict',
    signature: `${text(inputs)} -> ${text(outputs)}`,
    inputs: inputs.map(({ name }) => name),
    outputs: outputs.map(({ name }) => name),
  };
}

function infoOf(program: Program): Args {
  const counts = { created_at: 0, execution_count: 0, last_executed: null };
  return { id: program.args['id'], ...described(program), ...counts };
}

function dumpOf({ args, inputs, outputs }: Program): Args {
  const { id, program_type: type, tools, max_iters: maxIters } = args;
  return {
    ...{ format: DUMP_FORMAT, dspy_version: 'mock', id, program_type: type },
    ...{ signature: { inputs, outputs }, state: {} },
    ...(tools !== undefined && { tools }),
    ...(maxIters !== undefined && { max_iters: maxIters }),
  };
}
