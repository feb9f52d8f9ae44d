// What does a DSPy prompt ask for, and how must the reply be laid out? Reads the chat adapter's markers and the JSON adapter's list.
import { findArithmetic } from './arithmetic.ts';
import type { Answer, Task } from './answer.ts';
import { fillSchema, isRecord, type Json, type Schema } from './fill.ts';
import { passageText, readLayout, type ChatMessage } from './prompt.ts';
import { wordsOf } from './text.ts';

/** One field that the reply must hold. */
interface OutputField {
  readonly name: string;
  readonly schema: Schema;
}

/** A DSPy prompt, read. */
export interface DspyPrompt {
  /** `chat`: `[[ ## field ## ]]` sections. `json`: one JSON object. */
  readonly layout: 'chat' | 'json';
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: readonly OutputField[];
  readonly objective: string;
  readonly task: Task;
}

const INPUTS_HEAD = 'Your input fields are:';
const OUTPUTS_HEAD = 'Your output fields are:';
const STRUCTURE_HEAD = 'All interactions will be structured in the following way';
const JSON_HEAD = 'Outputs will be a JSON object with the following fields.';
const OBJECTIVE_HEAD = 'your objective is:';
const REQUIREMENTS =
  /^Respond with (?:the corresponding output fields, starting with|a JSON object in the following order of fields:)[\s\S]*$/m;

/** Read a conversation as DSPy's; null when its system message does not describe fields. Earlier messages are examples and are not read. */
export function readDspyPrompt(messages: readonly ChatMessage[]): DspyPrompt | null {
  const system = messages.find(
    (message) =>
      (message.role === 'system' || message.role === 'developer') &&
      message.text.includes(OUTPUTS_HEAD),
  )?.text;
  const user = messages.findLast((message) => message.role === 'user')?.text;
  if (system === undefined || user === undefined) return null;
  const fields = between(system, OUTPUTS_HEAD, STRUCTURE_HEAD);
  const inputNames = fieldsOf(between(system, INPUTS_HEAD, OUTPUTS_HEAD)).map(([name]) => name);
  const notes = notesOf(between(system, STRUCTURE_HEAD, OBJECTIVE_HEAD));
  const inputs = sectionsOf(user.replace(REQUIREMENTS, ''), inputNames);
  const objective = between(system, OBJECTIVE_HEAD, null).trim();
  const layout =
    system.includes(JSON_HEAD) || /^Respond with a JSON object/m.test(user) ? 'json' : 'chat';
  const outputs = fieldsOf(fields).map(([name, type]) => ({
    name,
    schema: schemaOf(type, notes.get(name)),
  }));
  return { layout, inputs, outputs, objective, task: taskOf(inputs, objective) };
}

function between(text: string, start: string, end: string | null): string {
  const from = text.indexOf(start);
  if (from < 0) return '';
  const rest = text.slice(from + start.length);
  const to = end === null ? -1 : rest.indexOf(end);
  return to < 0 ? rest : rest.slice(0, to);
}

/** Lines such as "2. `tags` (list[str]): what it is". */
function fieldsOf(list: string): [name: string, type: string][] {
  const lines = list.matchAll(/^\d+\. `(\w+)` \((.+?)\):(?= |$)/gm);
  return [...lines].map((line) => [line[1] ?? '', line[2] ?? 'str']);
}

/** What the structure says about a value: plain behind `{name}`, or escaped inside the JSON adapter's example object. */
function notesOf(structure: string): Map<string, string> {
  const plain = structure.matchAll(/^\{(\w+)\} +# note: the value you produce (.+)$/gm);
  const escaped = structure.matchAll(
    /"\{(\w+)\} +# note: the value you produce ((?:[^"\\]|\\.)*)"/g,
  );
  return new Map([
    ...[...plain].map((note): [string, string] => [note[1] ?? '', note[2] ?? '']),
    ...[...escaped].map((note): [string, string] => [note[1] ?? '', unescapeJson(note[2] ?? '')]),
  ]);
}

function unescapeJson(escaped: string): string {
  const value = parseJson(`"${escaped}"`);
  return typeof value === 'string' ? value : escaped;
}

/** The user's sections by name. Only declared inputs open one: a ReAct trajectory carries markers of its own. */
function sectionsOf(user: string, names: readonly string[]): Map<string, string> {
  const markers = [...user.matchAll(/^\[\[ ## (\w+) ## \]\][ \t]*\n?/gm)].filter((m) =>
    names.includes(m[1] ?? ''),
  );
  return new Map(
    markers.map((marker, i) => {
      const end = markers[i + 1]?.index ?? user.length;
      return [marker[1] ?? '', user.slice(marker.index + marker[0].length, end).trim()];
    }),
  );
}

/** A Python annotation as a JSON schema; where the prompt spells the schema out, that one. */
function schemaOf(type: string, note: string | undefined): Schema {
  const literal = /^Literal\[(.+)\]$/.exec(type);
  if (literal !== null) return { enum: literalsOf(literal[1] ?? '') };
  const simple = SIMPLE_TYPES.get(type);
  if (simple !== undefined) return { type: simple };
  const spelled = /^must adhere to the JSON schema: (.+)$/.exec(note ?? '');
  const schema = parseJson(spelled?.[1] ?? '');
  if (isRecord(schema)) return schema;
  const members = /^must (?:be|exactly match \(no extra characters\)) one of: (.+)$/.exec(
    note ?? '',
  );
  return members === null ? { type: 'string' } : { enum: (members[1] ?? '').split('; ') };
}

const SIMPLE_TYPES: ReadonlyMap<string, string> = new Map([
  ['str', 'string'],
  ['int', 'integer'],
  ['float', 'number'],
  ['bool', 'boolean'],
]);

/** The members of a Python Literal: quoted strings, numbers, True, False and None. */
function literalsOf(members: string): Json[] {
  const found = members.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,\s]+)/g);
  return [...found].map(([, single, double, bare]) => {
    const quoted = single ?? double;
    if (quoted !== undefined) return quoted.replace(/\\(.)/g, '$1');
    return (
      BARE_LITERALS.get(bare ?? '') ??
      (Number.isFinite(Number(bare)) ? Number(bare) : (bare ?? null))
    );
  });
}

const BARE_LITERALS: ReadonlyMap<string, Json> = new Map([
  ['True', true],
  ['False', false],
]);

const QUESTION_NAMES =
  /^(?:(?:user_)?(?:question|query|request|message|input|prompt)|q|problem|expression|equation|claim|statement|instruction|task|goal|hypothesis)$/i;
/** A lone input this short that holds a sum is a question, whatever its name. */
const QUESTION_WORDS_MAX = 16;

/** Decide which inputs are the question and which are to be read. */
function taskOf(inputs: ReadonlyMap<string, string>, objective: string): Task {
  const entries = [...inputs].filter(([name]) => name !== 'trajectory' && name !== 'history');
  const asked =
    entries.find(([name]) => QUESTION_NAMES.test(name)) ??
    entries.findLast(([, value]) => value.endsWith('?')) ??
    entries.find(
      ([, value]) => wordsOf(value).length <= QUESTION_WORDS_MAX && findArithmetic(value) !== null,
    );
  const passages = entries
    .filter((entry) => entry !== asked)
    .map(([, value]) => passageText(value));
  const observed = observationsOf(inputs.get('trajectory') ?? '');
  const passage = [...passages, ...observed].filter((text) => text !== '').join('\n\n');
  if (asked === undefined) {
    const question = objective.trim().endsWith('?') ? objective.trim() : '';
    return { question, passage: passage === '' ? null : passage, passageFrom: 'given' };
  }
  if (passage === '') return readLayout(asked[1]);
  return { question: asked[1], passage, passageFrom: 'given' };
}

/** What a ReAct agent's tools have returned so far. */
export function observationsOf(trajectory: string): string[] {
  const sections = trajectory.split(/^\[\[ ## (?=\w+ ## \]\])/m);
  return sections
    .map((section) => /^observation_\d+ ## \]\]\s*([\s\S]*)$/.exec(section)?.[1]?.trim() ?? '')
    .filter((observation) => observation !== '' && observation !== 'Completed.');
}

/** Fill every output field, in the order in which the prompt lists them. */
export function fillOutputs(prompt: DspyPrompt, answer: Answer): Map<string, Json> {
  return new Map(
    prompt.outputs.map(({ name, schema }) => [name, fillSchema(schema, name, prompt.task, answer)]),
  );
}

/** Lay the fields out as the prompt wants them. */
export function renderOutputs(
  layout: DspyPrompt['layout'],
  values: ReadonlyMap<string, Json>,
): string {
  if (layout === 'json') return JSON.stringify(Object.fromEntries(values), null, 2);
  const sections = [...values].map(([name, value]) => `[[ ## ${name} ## ]]\n${renderValue(value)}`);
  return [...sections, '[[ ## completed ## ]]'].join('\n\n');
}

/** Python's spelling where it differs. A marker inside quoted text would open a section, so it is defused. */
function renderValue(value: Json): string {
  if (typeof value === 'string') return value.replaceAll('[[ ##', '[ ##');
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return value === null ? 'None' : JSON.stringify(value);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller treats it as text.
    return undefined;
  }
}
