"""Where does the worker's processor time go? The echo bridge, with a sampler of its main thread.

ITIMER_PROF counts processor time, so that waiting for the next call is never met.
"""

import signal
from collections import Counter

from echo_bridge import EchoBridge

PERIOD_S = 0.001
"""The kernel rounds it up to its own tick."""


class ProfileBridge(EchoBridge):
    """Answers what it was given, and says where it was met."""

    def _register_handlers(self):
        super()._register_handlers()
        self._met = Counter()
        self._handlers["sample"] = self._start
        self._handlers["samples"] = self._stop

    def _start(self, args):
        signal.signal(signal.SIGPROF, self._meet)
        signal.setitimer(signal.ITIMER_PROF, PERIOD_S, PERIOD_S)

    def _stop(self, args):
        signal.setitimer(signal.ITIMER_PROF, 0)
        return [[*place, count] for place, count in self._met.items()]

    def _meet(self, signum, frame):
        code = frame.f_code
        folder_and_file = "/".join(code.co_filename.split("/")[-2:])
        self._met[folder_and_file, code.co_name] += 1
