"""How often a process that handles many small objects lets the garbage collector look."""

import gc

_YOUNG = 50_000
"""Objects made and not freed before the collector looks at them."""


def collect_seldom() -> None:
    """Let the garbage collector look at less, and less often.

    What is there by now lives as long as the process, and what records and requests become is freed by its
    counts. A batch in hand is some hundred thousand objects, which the collector went through again and
    again.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG)
