// Does a guide show what its program does? Its snippets, found again in the program that a test runs.

/** What is done, however it is broken into lines, without what is imported and what is said of it. */
function flat(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('import'))
    .map((line) => line.replace(/ \/\/ .*$/u, ''))
    .join('')
    .replaceAll(/\s+|,(?=\s*[)}\]])/gu, '');
}

/** The TypeScript snippets of a guide, and those of them that its program does not have. */
export function guideCode(
  guide: string,
  program: string,
): { readonly count: number; readonly strange: readonly string[] } {
  const snippets = [...guide.matchAll(/^```ts\n([\s\S]*?)\n```$/gmu)].map(([, code = '']) => code);
  const known = flat(program);
  const strange = snippets.filter((snippet) => !known.includes(flat(snippet)));
  return { count: snippets.length, strange };
}
