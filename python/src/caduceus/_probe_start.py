"""How does an interpreter of any age come to answer `_probe`? Run as a file, never imported."""

import os
import sys

_OLDEST = (3, 8)
_OLDEST_OF_WORKERS = (3, 10)


def _start() -> None:
    package = os.path.dirname(os.path.abspath(__file__))
    # Before anything is imported: the modules beside this file would stand in for those of the
    # standard library.
    sys.path[:] = [os.path.dirname(package), *(path for path in sys.path if path != package)]
    import json
    import types

    version = tuple(sys.version_info[:3])
    if version < _OLDEST:
        # There is no telling which packages it has; the import in a script does.
        who = {"version": ".".join(map(str, version)), "executable": sys.executable, "venv": None}
        print(json.dumps(dict(who, packages=None, preload=None, module=None)))
        return
    if version < _OLDEST_OF_WORKERS:
        # The package's own __init__ needs a newer one.
        bare = types.ModuleType("caduceus")
        bare.__path__ = [package]
        sys.modules["caduceus"] = bare
    from caduceus._probe import main

    main(json.loads(sys.argv[1]))


if __name__ == "__main__":
    _start()
