// Is the drawing in docs/lifecycles.md and README.md what the machines are?
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { LIFECYCLE_STATES } from '../../actors/lifecycle/child.ts';
import { drawLifecycle, lifecyclesDocument } from './lifecycles.ts';
import { withLifecyclePicture } from './readme-picture.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

describe('docs/lifecycles.md', () => {
  it('is what the machines are (npm run docs)', () => {
    expect(read('docs/lifecycles.md')).toBe(lifecyclesDocument());
  });

  it('names every state of a child, and how a worker comes back', () => {
    const picture = drawLifecycle();
    const missing = LIFECYCLE_STATES.filter((state) => !picture.includes(`${state} --> `));
    expect(missing).toEqual([]);
    expect(picture).toContain('crashed --> restarting : restart\n');
    expect(picture).toContain('restarting --> spawning : back-off over\n');
    expect(picture).toContain('stopped --> [*]');
  });

  it('says how long a delay is and which guard decides', () => {
    const text = lifecyclesDocument();
    expect(text).toContain('launching --> exiting : after helloTimeout (10000 ms)');
    expect(text).toContain('waiting --> restarting : child.exited [judgedExit restart]');
  });

  it('draws no arrow into the state that it starts from, which Mermaid cannot', () => {
    expect(lifecyclesDocument()).not.toMatch(/^ *incarnation --> (ready|exiting|stopping) /mu);
  });
});

describe('the picture in README.md', () => {
  it('is what the worker machine is (npm run docs)', () => {
    const readme = read('README.md');
    expect(withLifecyclePicture(readme)).toBe(readme);
  });

  it('takes the place of an older one', () => {
    const older = 'a\n<!-- worker-machine:begin -->\nold\n<!-- worker-machine:end -->\nb\n';
    const newer = withLifecyclePicture(older);
    expect(newer).toContain(drawLifecycle());
    expect(newer).not.toContain('old\n<');
    expect(withLifecyclePicture(newer)).toBe(newer);
  });
});
