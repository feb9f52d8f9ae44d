"""Counts words. A bridge for the guide: docs/guide/supervision.md."""

import os
import signal

from base_bridge import BaseBridge


class Words(BaseBridge):
    def _initialize_framework(self):
        """Nothing to load."""

    def _register_handlers(self):
        self._handlers.update(count=self.count, crash=self.crash)

    def get_framework_info(self):
        return {"name": "words", "version": "1.0.0", "capabilities": []}

    def count(self, args):
        return len(args["text"].split())

    def crash(self, args):
        os.kill(os.getpid(), signal.SIGKILL)
