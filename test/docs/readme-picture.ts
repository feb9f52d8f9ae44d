// Where does the picture of the worker machine stand in the README? Between two comments; a README without them is left alone.
import { drawLifecycle } from './lifecycles.ts';

const BEGIN = '<!-- worker-machine:begin -->';
const END = '<!-- worker-machine:end -->';

/** The same text with today's picture. */
export function withLifecyclePicture(readme: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 && end === -1) return readme;
  if (end < begin || begin === -1) throw new Error(`README.md: ${BEGIN} and ${END} must be a pair`);
  const block = `${BEGIN}\n\n\`\`\`mermaid\n${drawLifecycle()}\n\`\`\`\n\n`;
  return readme.slice(0, begin) + block + readme.slice(end);
}
