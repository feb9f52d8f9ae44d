// What does a DSPy ReActV2 agent do next? It has no trajectory: its question and its tools' results are earlier messages.
import { answerFromTool, answerTask, type Task } from './answer.ts';
import { parseJson, type DspyPrompt } from './dspy-format.ts';
import { isRecord, type Json } from './fill.ts';
import { passageText, type ChatMessage } from './prompt.ts';
import { toolsOf } from './react.ts';
import { callOf, decideToolCall } from './tools.ts';

const CALLS_FIELD = 'tool_calls';
const SUBMIT = 'submit';
const RESULTS_MARKER = '[[ ## tool_call_results ## ]]';
const REQUIREMENTS = /^Respond with [\s\S]*$/m;

/** The next call of an agent that answers by a `tool_calls` field, or null when the prompt is not such an agent's. */
export function nextToolCalls(
  prompt: DspyPrompt,
  messages: readonly ChatMessage[],
): Map<string, Json> | null {
  const tools = toolsOf(passageText(prompt.inputs.get('tools') ?? '').replace(/\n\n/g, '\n'));
  const submit = tools.find((tool) => tool.name === SUBMIT);
  if (submit === undefined || !prompt.outputs.some(({ name }) => name === CALLS_FIELD)) return null;
  const task: Task = { question: questionOf(messages), passage: null, passageFrom: 'given' };
  const results = resultsOf(messages);
  const answer =
    results.length === 0
      ? answerTask(task)
      : answerFromTool(null, results.join('\n'), task.question);
  const others = tools.filter((tool) => tool !== submit);
  const wanted =
    results.length === 0 ? decideToolCall(others, { type: 'auto' }, task, answer) : null;
  // The answer is handed in as text: numbers in the question are not arguments of the hand-in.
  const call = wanted ?? callOf(submit, { ...task, passage: answer.text }, answer);
  const thought =
    wanted === null ? answer.because : `The tool ${wanted.name} fits the question, so I call it.`;
  return new Map(
    prompt.outputs.map(({ name }): [string, Json] =>
      name === CALLS_FIELD
        ? [name, { tool_calls: [{ name: call.name, args: call.arguments }] }]
        : [name, thought],
    ),
  );
}

/** The first section of the last message that asks: one with an input other than the tools and their results. */
function questionOf(messages: readonly ChatMessage[]): string {
  const asking = messages.findLast(
    (message) =>
      message.role === 'user' &&
      /^\[\[ ## (?!tools |tool_call_results |history )\w+ ## \]\]/.test(message.text),
  );
  const sections = (asking?.text ?? '')
    .replace(REQUIREMENTS, '')
    .split(/^\[\[ ## \w+ ## \]\][ \t]*\n?/m);
  return sections[1]?.trim() ?? '';
}

/** What the tools have returned since the question was asked, errors left out. */
function resultsOf(messages: readonly ChatMessage[]): string[] {
  return messages
    .filter((message) => message.role === 'user' && message.text.startsWith(RESULTS_MARKER))
    .flatMap((message) => {
      const body = parseJson(message.text.slice(RESULTS_MARKER.length).trim());
      const results: unknown = isRecord(body) ? body['tool_call_results'] : null;
      return Array.isArray(results) ? (results as unknown[]) : [];
    })
    .flatMap((result) =>
      isRecord(result) && result['is_error'] !== true ? [textOf(result['value'])] : [],
    );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
