"""The bridge of docs/guide/calls.md."""

import time

from base_bridge import BaseBridge
from caduceus import current_call


class Guide(BaseBridge):
    def _register_handlers(self):
        self._handlers.update(
            scale=lambda args: args["matrix"] * args["by"],
            words=self.words,
            look_up=self.look_up,
            train=self.train,
            sleep=lambda args: time.sleep(args["seconds"]),
            closed=lambda args: self.closed,
        )

    def _initialize_framework(self):
        self.closed = 0

    def get_framework_info(self):
        return {"name": "guide", "version": "1.0.0", "capabilities": []}

    def words(self, args):
        try:
            yield from args["text"].split()
        finally:
            self.closed += 1

    def look_up(self, args):
        return current_call().invoke("lookup", {"word": args["word"]})

    def train(self, args):
        call = current_call()
        for epoch in range(args["epochs"]):
            call.progress({"epoch": epoch, "for": call.session_id})
        return call.trace
