"""A thread with a stack deep enough for hostile documents.

Yjs types nest, the library recurses, and 26 000 nested arrays (53 KB) overflow the 8 MB a thread
has by default: the process dies. With 256 MiB half a million levels pass, which is more than fits
into the largest update that is accepted. The memory is virtual until it is used.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

STACK_BYTES = 256 * 1024 * 1024

_lock = threading.Lock()


def start_thread(target: Callable[[], object], name: str) -> threading.Thread:
    """A started thread with the deep stack."""
    with _lock:
        before = threading.stack_size(STACK_BYTES)
        try:
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    return thread


class _DeepPool(ThreadPoolExecutor):
    """A pool of one such thread; more would not help, since the library holds the GIL."""

    def _adjust_thread_count(self) -> None:
        with _lock:
            before = threading.stack_size(STACK_BYTES)
            try:
                super()._adjust_thread_count()
            finally:
                threading.stack_size(before)


_pool = _DeepPool(max_workers=1, thread_name_prefix="yjs")


async def run(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that handles Yjs data on the deep thread."""
    return await asyncio.get_running_loop().run_in_executor(_pool, lambda: call(*args, **kwargs))
