"""Lets SUMO find the memory of this process as if nothing had run in it before.

SUMO orders some of its objects by their addresses. Where memory comes in the order in which it was
asked for, as at the start of a process, that is the order in which they were made. Memory that
somebody has given back comes in any order, and then one and the same episode ends in one of several
ways: on RESCO's cologne1 about every sixth of those that had others before them.
"""

import ctypes
from functools import cache
from typing import Any

__all__ = ["FreshHeap"]

SMALL = range(1032, 23, -16)
"""What small pieces of the C library hold [bytes]."""
SIZES = (*(2**power for power in range(24, 10, -1)), *SMALL)
"""Asked for in this order nothing is left: what a piece has too much is a smaller one."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
THRESHOLD = 2**25
"""The largest that the library takes [bytes]. Otherwise it follows what has been given back, and
decides which vectors lie among the small objects."""


class Usage(ctypes.Structure):
    """What `mallinfo` of the C library tells [bytes]; the last is what lies free at the top."""

    _fields_ = [("others", ctypes.c_uint * 9), ("top", ctypes.c_uint)]


class FreshHeap:
    """All memory that was given back is put aside, until `end`: what is new lies at the top.

    That is so in the main thread, with the C library of GNU; elsewhere nothing changes. What is put
    aside takes little room, since only its ends are touched.
    """

    def __init__(self) -> None:
        self._aside: list[int] = []
        library = c_library()
        if library is None:
            return
        library.mallopt(M_MMAP_THRESHOLD, THRESHOLD)
        library.mallopt(M_TRIM_THRESHOLD, 2 * THRESHOLD)
        library.malloc_trim(0)
        top = library.sbrk(0) - library.mallinfo().top
        for size in SIZES:
            while (piece := library.malloc(size)) is not None and piece < top:
                self._aside.append(piece)
            if size in SMALL and piece is not None:
                self._aside.append(piece)  # the library would not give it back to the top
            else:
                library.free(piece)

    def end(self) -> None:
        """The memory may be used again."""
        library = c_library()
        while self._aside:
            library.free(self._aside.pop())


@cache
def c_library() -> Any:
    """That of this process if it is GNU's, with what is used of it; else None."""
    library = ctypes.PyDLL(None)  # its functions are too quick to let other threads run meanwhile
    if not all(hasattr(library, name) for name in ("mallinfo", "malloc_trim", "mallopt", "sbrk")):
        return None
    library.mallinfo.restype = Usage
    library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    library.free.argtypes, library.free.restype = [ctypes.c_void_p], None
    library.sbrk.argtypes, library.sbrk.restype = [ctypes.c_ssize_t], ctypes.c_void_p
    return library
