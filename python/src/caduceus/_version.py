"""Which version is this?"""

__version__ = "0.1.0"

PROTOCOL_VERSION = "2.0"
"""The version of `docs/protocol.md` that this package speaks."""
