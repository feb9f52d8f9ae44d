"""How much memory does this process use?"""

from __future__ import annotations

import os


def memory_usage() -> dict[str, float]:
    """Read it from the system.

    Returns
    -------
    dict
        ``rss`` and ``vms`` in bytes, and ``percent``, the part of the machine's memory that is
        resident. Empty where the system does not say.
    """
    try:
        page_bytes = os.sysconf("SC_PAGE_SIZE")
        total_bytes = page_bytes * os.sysconf("SC_PHYS_PAGES")
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = [int(number) for number in file.read().split()[:2]]
    except (OSError, ValueError):
        return {}
    vms, rss = (count * page_bytes for count in pages)
    return {"rss": rss, "vms": vms, "percent": 100 * rss / total_bytes}
