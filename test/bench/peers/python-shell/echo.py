"""What runs under python-shell? A loop over JSON lines."""

import json
import sys

for line in sys.stdin:
    print(json.dumps(json.loads(line)), flush=True)
