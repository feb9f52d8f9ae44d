// How does Python hear what a caller asks of LangChain? In its own names, with the ids and variables that were left out.
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { RequestTools } from './adapter.ts';
import type { Args } from './operation.ts';

const MS_PER_S = 1000;

/** The arguments as Python expects them: for a chain `{ id, template, input_variables }`, as the ported design has it. */
export function requestOf(op: string, args: Args, tools: RequestTools): Args {
  switch (op) {
    case 'configure_llm':
      return configuration(args);
    case 'create_chain':
      return chain(args, tools.newId);
    case 'run_chain':
    case 'stream_chain':
    case 'delete_chain': {
      const { id, chainId, chain_id, ...rest } = args;
      return given({ ...rest, chain_id: one(op, { id, chainId, chain_id }) });
    }
    case 'create_agent':
      return agent(args, tools.newId);
    case 'run_agent':
    case 'stream_agent':
    case 'delete_agent': {
      const { id, agentId, agent_id, ...rest } = args;
      return given({ ...rest, agent_id: one(op, { id, agentId, agent_id }) });
    }
    default:
      return args;
  }
}

function configuration(args: Args): Args {
  const { timeoutMs, temperature } = args;
  return given({
    model_type: either(args, 'modelType', 'model_type'),
    model_name: either(args, 'modelName', 'model_name'),
    api_key: either(args, 'apiKey', 'api_key'),
    api_base: either(args, 'apiBase', 'api_base'),
    temperature,
    max_tokens: either(args, 'maxTokens', 'max_tokens'),
    timeout_s: timeoutMs === undefined ? undefined : Number(timeoutMs) / MS_PER_S,
    embedding_model: either(args, 'embeddingModel', 'embedding_model'),
  });
}

function chain(args: Args, newId: () => string): Args {
  const { id, promptTemplate, prompt_template, template, system, template_format } = args;
  const text = String(one('create_chain', { promptTemplate, prompt_template, template }));
  const systemText = typeof system === 'string' ? system : '';
  return given({
    id: id ?? newId(),
    template: text,
    input_variables: args['input_variables'] ?? variablesOf(systemText, text),
    system,
    output_schema: either(args, 'outputSchema', 'output_schema'),
    template_format,
  });
}

function agent(args: Args, newId: () => string): Args {
  return given({
    id: args['id'] ?? newId(),
    system_prompt: either(args, 'systemPrompt', 'system_prompt'),
    tools: args['tools'],
    max_steps: either(args, 'maxSteps', 'max_steps'),
    max_messages: either(args, 'maxMessages', 'max_messages'),
  });
}

/** The names in braces, in alphabetical order; doubled braces are braces. Python reads them again, and refuses what is no name. */
export function variablesOf(...templates: readonly string[]): readonly string[] {
  const names = templates.flatMap((template) =>
    [...template.replaceAll(/\{\{|\}\}/gu, '').matchAll(/\{([^{}!:]*)[^{}]*\}/gu)].map(
      ([, name = '']) => name,
    ),
  );
  return [...new Set(names)].sort();
}

function either(args: Args, camel: string, snake: string): unknown {
  const [first, second] = [args[camel], args[snake]];
  if (first !== undefined && second !== undefined && first !== second)
    throw new InvalidConfigError(camel, `is given as ${snake} too, and they differ`);
  return first ?? second;
}

/** The one that is given, of the names that a thing may go by. */
function one(op: string, names: Args): unknown {
  const found = Object.entries(names).filter(([, value]) => value !== undefined);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first[1];
  const which = Object.keys(names).join(' or ');
  throw new InvalidConfigError(op, `needs ${which}, and just one of them`);
}

function given(args: Args): Args {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
