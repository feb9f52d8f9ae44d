"""What does a bridge look like that tells how it was forked? Frameworks are imported when used."""

from __future__ import annotations

import gc
import importlib
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from caduceus import BaseBridge

if TYPE_CHECKING:
    from collections.abc import Mapping


_DEFAULTS = (signal.SIGCHLD, signal.SIGTERM)


class ZygoteBridge(BaseBridge):
    def _initialize_framework(self) -> None:
        pass

    def _register_handlers(self) -> None:
        for name in ("describe", "draws", "exit", "numpy", "sklearn", "torch", "children", "sleep"):
            self._handlers[name] = getattr(self, f"_{name}")

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "zygote-sample", "version": "1", "capabilities": []}

    def _describe(self, _args: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "parent": os.getppid(),
            "session": os.getsid(0),
            "group": os.getpgrp(),
            "environ": dict(os.environ),
            "cwd": os.getcwd(),
            "is_gc_enabled": gc.isenabled(),
            "frozen": gc.get_freeze_count(),
            "modules": [
                name for name in ("numpy", "sklearn", "torch", "dspy") if name in sys.modules
            ],
            "descriptors": _descriptors(),
            "has_default_signals": [signal.getsignal(number) for number in _DEFAULTS]
            == [signal.SIG_DFL] * 2,
            "wakeup": signal.set_wakeup_fd(-1),
        }

    def _draws(self, _args: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"random": random.random()}
        if "numpy" in sys.modules:
            found["numpy"] = float(_module("numpy").random.random())
        if "torch" in sys.modules:
            found["torch"] = float(_module("torch").rand(1)[0])
        return found

    def _exit(self, args: Mapping[str, Any]) -> None:
        os._exit(args["status"])

    def _sleep(self, args: Mapping[str, Any]) -> None:
        time.sleep(args["seconds"])

    def _children(self, _args: Mapping[str, Any]) -> dict[str, Any]:
        done = subprocess.run(["/bin/sh", "-c", "exit 7"], check=False)
        return {"status": done.returncode}

    def _numpy(self, args: Mapping[str, Any]) -> dict[str, Any]:
        np = _module("numpy")
        size = args["size"]
        matrix = np.arange(size * size, dtype=np.float64).reshape(size, size)
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        trace = float(np.trace(matrix @ np.eye(size)))
        return {
            "trace": trace,
            "wanted": float(np.trace(matrix)),
            "cpu_s": time.process_time() - cpu_s,
            "wall_s": time.perf_counter() - wall_s,
            "threads": len(os.listdir("/proc/self/task")),
        }

    def _sklearn(self, _args: Mapping[str, Any]) -> dict[str, Any]:
        data, ensemble = _module("sklearn.datasets"), _module("sklearn.ensemble")
        samples, labels = data.make_classification(n_samples=300, random_state=0)
        linear = _module("sklearn.linear_model").LogisticRegression().fit(samples, labels)
        # With OpenMP threads of its own.
        boosted = ensemble.HistGradientBoostingClassifier(max_iter=3).fit(samples, labels)
        return {"linear": linear.score(samples, labels), "boosted": boosted.score(samples, labels)}

    def _torch(self, _args: Mapping[str, Any]) -> dict[str, Any]:
        torch = _module("torch")
        weight = torch.full((400, 400), 0.5, requires_grad=True)
        loss = (weight @ torch.ones(400, 400)).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            weight -= 1e-6 * weight.grad
        return {
            "loss": float(loss),
            "gradient": float(weight.grad[0, 0]),
            "weight": float(weight[0, 0]),
            "threads": torch.get_num_threads(),
        }


def _module(name: str) -> Any:  # noqa: ANN401 - whatever the framework has, typed or not
    return importlib.import_module(name)


def _descriptors() -> dict[str, str]:
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
    return found
