"""One thread for work that keeps the processor busy. Several would take the interpreter from the
event loop in turns, so that each of its own turns would wait for all of them; nothing would be done
sooner.
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
    """The result of `work`, which waits for nothing, done beside the event loop. What it logs names
    the same question.
    """
    loop = asyncio.get_running_loop()
    here = copy_context()
    return await loop.run_in_executor(_THREAD, partial(here.run, work, *arguments, **options))
