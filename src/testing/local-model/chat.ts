// What is the completion of a chat request? Reads the prompt, answers it, and lays the answer out as it was asked for.
import { answerFromTool, answerTask, type Answer, type Task } from './answer.ts';
import { fillOutputs, readDspyPrompt, renderOutputs } from './dspy-format.ts';
import { fillSchema, type Schema } from './fill.ts';
import { lastUserText, readConversation, type ChatMessage } from './prompt.ts';
import { nextToolCalls } from './react-v2.ts';
import { nextAgentStep } from './react.ts';
import { callOf, decideToolCall, type Tool, type ToolCall, type ToolChoice } from './tools.ts';

export type ResponseFormat =
  | { readonly type: 'text' | 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: Schema };

/** What a completion depends on. */
export interface ChatPrompt {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice;
  readonly responseFormat: ResponseFormat;
}

export type Completion =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool-call'; readonly call: ToolCall };

/** Decide on the completion. Pure. */
export function completeChat(prompt: ChatPrompt): Completion {
  const dspy = readDspyPrompt(prompt.messages);
  const task = dspy?.task ?? readConversation(prompt.messages);
  const observed = toolResultOf(prompt.messages);
  const answer =
    observed === null
      ? answerTask(task)
      : answerFromTool(observed.toolName, observed.result, task.question);
  const call =
    observed === null
      ? decideToolCall(prompt.tools, prompt.toolChoice, task, answer)
      : finalCall(prompt, task, answer);
  if (call !== null) return { type: 'tool-call', call };
  if (dspy !== null) {
    const values =
      nextAgentStep(dspy, answer) ??
      nextToolCalls(dspy, prompt.messages) ??
      fillOutputs(dspy, answer);
    return { type: 'text', text: renderOutputs(dspy.layout, values) };
  }
  return { type: 'text', text: renderPlain(prompt, task, answer) };
}

/** The results of the tools that were called last; null unless the conversation ends with them. */
function toolResultOf(
  messages: readonly ChatMessage[],
): { readonly toolName: string | null; readonly result: string } | null {
  if (messages.at(-1)?.role !== 'tool') return null;
  const from = messages.findLastIndex((message) => message.role !== 'tool') + 1;
  const results = messages.slice(from);
  const calls = messages.flatMap((message) => message.toolCalls);
  const names = results.map(
    (result) => calls.find((call) => call.id === result.toolCallId)?.name ?? null,
  );
  return { toolName: names[0] ?? null, result: results.map((result) => result.text).join('\n') };
}

/** Some agents end by a tool of that name: once another tool has answered, hand the answer in. */
function finalCall(prompt: ChatPrompt, task: Task, answer: Answer): ToolCall | null {
  const handIn = prompt.tools.find((tool) => /^(?:submit|finish|final_?answer)$/i.test(tool.name));
  return handIn === undefined || prompt.toolChoice.type === 'none'
    ? null
    : callOf(handIn, task, answer);
}

function renderPlain(prompt: ChatPrompt, task: Task, answer: Answer): string {
  switch (prompt.responseFormat.type) {
    case 'text':
      return answer.text;
    case 'json_object': {
      const schema = schemaFromWords(prompt.messages);
      return JSON.stringify(fillSchema(schema, 'answer', task, answer));
    }
    case 'json_schema':
      return JSON.stringify(fillSchema(prompt.responseFormat.schema, 'answer', task, answer));
    default:
      return prompt.responseFormat satisfies never;
  }
}

/** JSON without a schema: the keys that the prompt puts in quotes after the word "key" or "field", else one named "answer". */
function schemaFromWords(messages: readonly ChatMessage[]): Schema {
  const text = `${messages.find((message) => message.role === 'system')?.text ?? ''}\n${lastUserText(messages)}`;
  const list =
    /\b(?:keys?|fields?|propert(?:y|ies))\b[^"'`\n]{0,40}((?:["'`]\w+["'`](?:\s*\([^)]*\))?[\s,]*(?:and\s+)?)+)/i.exec(
      text,
    )?.[1];
  const keys = [...(list ?? '').matchAll(/["'`](\w+)["'`]/g)].map((key) => key[1] ?? '');
  const names = keys.length === 0 ? ['answer'] : keys;
  const properties = names.map((name) => [
    name,
    { type: NUMERIC_KEYS.test(name) ? 'number' : 'string' },
  ]);
  return { type: 'object', properties: Object.fromEntries(properties) };
}

const NUMERIC_KEYS =
  /^(?:age|count|total|sum|result|number|amount|price|score|confidence|year|quantity|value)$/i;
