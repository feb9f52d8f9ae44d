"""The bridge of the guide to testing: lists of words, by session."""

from __future__ import annotations

from caduceus import BaseBridge, current_call


class ListsBridge(BaseBridge):
    def _register_handlers(self):
        self._lists = {}
        self._handlers["add"] = self._add
        self._handlers["each"] = self._each

    def _initialize_framework(self):
        pass

    def get_framework_info(self):
        return {"name": "lists", "version": "1", "capabilities": ["add", "each"]}

    def _add(self, args):
        words = self._lists.setdefault(current_call().session_id, [])
        words.append(args["word"])
        return len(words)

    def _each(self, args):
        yield from self._lists.get(current_call().session_id, [])
