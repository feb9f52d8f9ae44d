// What may stand for a child in a call, and how is it read?
import { isIncarnation } from '../actors/lifecycle/ref.ts';
import type { ChildName } from './supervisor-call.ts';

/** Whether it is an id or a reference. */
export function isChildName(child: unknown): child is ChildName {
  return typeof child === 'string' || isIncarnation(child);
}

/** For the text of an error. */
export function nameOf(child: ChildName): string {
  return typeof child === 'string' ? child : child.path;
}
