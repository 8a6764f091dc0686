"""The garbage collector of processes that live long and read many rows."""

import gc

ALLOCATIONS = 20_000
"""So many new objects between two looks at the young ones: a page of rows, where Python's own 700 are a few."""


def tune_gc() -> None:
    """Leave out of every later collection what the imports have made; call it once, before the work begins.

    A full collection goes through all of it, a hundred milliseconds in which nothing else happens, and rows by the
    thousand bring one about again and again: reading a row costs five times as much.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, *gc.get_threshold()[1:])
