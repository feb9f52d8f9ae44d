// What does a new bridge look like in Python? In its pleasant form, and as a table of handlers.
import type { Names } from './names.ts';

/** How the operations of a bridge are written. */
export const TEMPLATES = ['operations', 'table'] as const;

export type Template = (typeof TEMPLATES)[number];

/** The text of the bridge's file. */
export function bridgeText(template: Template, names: Names): string {
  switch (template) {
    case 'operations':
      return operations(names);
    case 'table':
      return table(names);
    default:
      return template satisfies never;
  }
}

function operations({ bridge, pythonClass }: Names): string {
  return `"""The bridge \`${bridge}\`: its operations are methods, their hints say what they take and give."""

from __future__ import annotations

from collections.abc import Iterator

from caduceus import Bridge, operation


class ${pythonClass}(Bridge):
    name = "${bridge}"
    version = "0.1.0"

    def setup(self) -> None:
        """Load your model here: once for each worker."""
        self.greeting = "Hello"

    @operation(idempotent=True)
    def hello(self, who: str = "world") -> str:
        """Greet somebody."""
        return f"{self.greeting}, {who}!"

    @operation
    def spell(self, text: str) -> Iterator[str]:
        """Give the letters of a text one by one: a generator streams."""
        yield from text
`;
}

function table({ bridge, pythonClass }: Names): string {
  return `"""The bridge \`${bridge}\`: a table of handlers, each of which takes a dict."""

from base_bridge import BaseBridge


class ${pythonClass}(BaseBridge):
    def _register_handlers(self):
        self._handlers.update(hello=self.hello, spell=self.spell)

    def _initialize_framework(self):
        """Load your model here: once for each worker."""
        self.greeting = "Hello"

    def get_framework_info(self):
        return {"name": "${bridge}", "version": "0.1.0", "capabilities": ["hello", "spell"]}

    def hello(self, args):
        return f"{self.greeting}, {args.get('who', 'world')}!"

    def spell(self, args):
        yield from args["text"]
`;
}
