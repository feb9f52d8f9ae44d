// What does the adapter of a new bridge look like?
import type { Names } from './names.ts';

/** What the adapter is written in. */
export type Language = 'ts' | 'mjs';

/** The text of the adapter's file. */
export function adapterText({ bridge, adapter, bridgeFile }: Names, language: Language): string {
  const text = (type: string): string => (language === 'ts' ? type : '');
  return `// What does Node know of the bridge \`${bridge}\` (${bridgeFile})?
import { defineAdapter } from 'caduceus';

export const ${adapter} = defineAdapter({
  framework: '${bridge}',
  operations: {
    // Say \`change: 'configure'\` of what changes state, and 'create' or 'delete' with its \`key\`:
    // that is done again on every worker that comes later.
    hello: { idempotent: true },
    spell: { stream: true },
  },
  // Methods of your own, beside those that every operation has.
  methods: (self) => ({
    greet: (who${text(': string')}) => self.executeOperation('hello', { who }),
  }),
});
`;
}
