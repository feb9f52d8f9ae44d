"""How does an import leave a GPU in use? As torch says so, where there is none."""

import sys
from types import SimpleNamespace

torch = SimpleNamespace(cuda=SimpleNamespace(is_initialized=lambda: True))
sys.modules["torch"] = torch  # type: ignore[assignment]
