"""What does a hand-written worker look like? A loop over JSON lines."""

import json
import sys

for line in sys.stdin:
    call = json.loads(line)
    print(json.dumps({"id": call["id"], "text": call["text"]}), flush=True)
