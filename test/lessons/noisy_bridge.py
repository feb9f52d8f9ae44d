"""A bridge that never becomes ready, and is never silent about it."""

import logging
import sys
import time

while True:
    print("not yet", flush=True)
    print("not yet", file=sys.stderr, flush=True)
    logging.getLogger("noisy").warning("not yet")
    time.sleep(0.01)
