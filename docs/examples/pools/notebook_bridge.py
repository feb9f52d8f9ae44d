"""The bridge of docs/guide/pools.md: a notebook for each session."""

import os
import time

from base_bridge import BaseBridge
from caduceus import batched, current_call


class Notebook(BaseBridge):
    def _register_handlers(self):
        self._handlers.update(
            sign_in=self.sign_in,
            write=self.write,
            extend=lambda args: self.notes[args["id"]].append(args["text"]),
            tear_out=lambda args: self.notes.pop(args["id"]),
            read=lambda args: " ".join(self.notes[args["id"]]),
            forget=lambda args: self.notebooks.pop(current_call().session_id, None),
            count=self.count,
            think=lambda args: time.sleep(args["seconds"]),
            stumble=lambda args: os._exit(1),
        )

    def _initialize_framework(self):
        self.notebooks = {}
        self.token = None
        self.batches = 0

    def get_framework_info(self):
        return {"name": "notebook", "version": "1.0.0", "capabilities": []}

    @property
    def notes(self):
        return self.notebooks.setdefault(current_call().session_id, {})

    def sign_in(self, args):
        self.token = args["token"]

    def write(self, args):
        self.notes[args["id"]] = [args["text"]]
        return args["id"]

    @batched
    def count(self, calls):
        self.batches += 1
        return [len(args["text"].split()) for args in calls]
