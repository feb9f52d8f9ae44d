// What does a DSPy ReAct agent do next? Picks a tool until one has answered, then finishes.
import type { Answer } from './answer.ts';
import { observationsOf, parseJson, type DspyPrompt } from './dspy-format.ts';
import { isRecord, type Json } from './fill.ts';
import { decideToolCall, type Tool } from './tools.ts';

const TOOL_FIELD = 'next_tool_name';
const ARGUMENTS_FIELD = 'next_tool_args';
const FINISH = 'finish';

/** The next step of an agent, or null when the prompt is not an agent's. */
export function nextAgentStep(prompt: DspyPrompt, answer: Answer): Map<string, Json> | null {
  const names = prompt.outputs.map(({ name }) => name);
  if (!names.includes(TOOL_FIELD) || !names.includes(ARGUMENTS_FIELD)) return null;
  const tools = toolsOf(prompt.objective).filter((tool) => tool.name !== FINISH);
  const hasObserved = observationsOf(prompt.inputs.get('trajectory') ?? '').length > 0;
  const task = { ...prompt.task, passage: null };
  const call = hasObserved ? null : decideToolCall(tools, { type: 'auto' }, task, answer);
  const thought = thoughtOf(hasObserved, call?.name ?? null);
  return new Map(
    names.map((name): [string, Json] => {
      if (name === TOOL_FIELD) return [name, call?.name ?? FINISH];
      if (name === ARGUMENTS_FIELD) return [name, call?.arguments ?? {}];
      return [name, thought];
    }),
  );
}

function thoughtOf(hasObserved: boolean, toolName: string | null): string {
  if (hasObserved) return 'A tool has answered, so I have what I need and finish.';
  if (toolName === null)
    return 'None of the tools fits the question, so I finish and answer myself.';
  return `The tool ${toolName} fits the question, so I call it.`;
}

/** Tools as DSPy describes them in the instructions: "(1) add, whose description is <desc>…</desc>. It takes arguments {…}." */
export function toolsOf(objective: string): Tool[] {
  const found = objective.matchAll(
    /^\s*(?:\(\d+\) )?([\w.-]+)(?:, whose description is <desc>([\s\S]*?)<\/desc>)?\. It takes arguments (\{.*\})\.\s*$/gm,
  );
  return [...found].map((match) => ({
    name: match[1] ?? '',
    description: (match[2] ?? '').trim(),
    parameters: { type: 'object', properties: argumentsOf(match[3] ?? '{}') },
  }));
}

/** Python prints the argument schemas as a dict, which is JSON but for its quotes and three words. */
function argumentsOf(dict: string): Readonly<Record<string, unknown>> {
  const json = dict
    .replace(/'((?:[^'\\]|\\.)*)'/g, (_, text: string) => JSON.stringify(text.replace(/\\'/g, "'")))
    .replace(/\bTrue\b/g, 'true')
    .replace(/\bFalse\b/g, 'false')
    .replace(/\bNone\b/g, 'null');
  const value = parseJson(json);
  return isRecord(value) ? value : {};
}
