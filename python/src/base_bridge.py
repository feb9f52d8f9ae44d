"""Where is `BaseBridge`, for a script that was written against a ``base_bridge.py`` beside it?

On the path of an interpreter that runs such a script by hand; in a worker the name is ours anyway.
"""

from caduceus.base_bridge import BaseBridge, Handler

__all__ = ["BaseBridge", "Handler"]
