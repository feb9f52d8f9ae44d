"""What does a zygote import for the scikit-learn bridge? All of it.

Safe to fork as long as OpenBLAS and OpenMP are held to one thread (the adapter's environment does
so): they start their threads when they are imported.
"""

from caduceus.bridges import sklearn as _bridge

BRIDGE = _bridge.__name__
SKLEARN = _bridge.import_sklearn()
SKOPS = _bridge.import_skops()
"""Imports every estimator that there is: most of a second that no worker has to spend."""
