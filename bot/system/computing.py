"""One thread for work that keeps the processor busy. Several threads would compete with the event
loop for the interpreter and finish no sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compute")


async def compute(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """The result of `work`, which does not wait for anything, computed in the thread. What it logs
    names the same question.
    """
    loop = asyncio.get_running_loop()
    here = copy_context()
    return await loop.run_in_executor(_THREAD, partial(here.run, work, *arguments, **options))
