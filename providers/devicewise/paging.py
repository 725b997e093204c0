"""Puts the pages of `usage.api.list` together, and notes what they may lack.

The vendor documents no order, no row id and no last page. Rows that are added while pages are read
shift the ones on later pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from providers.devicewise.parse import Page, Row
from providers.errors import Incomplete
from providers.models import ApiCall, CallPage

MOST_ROWS = 200_000
# Ten times as many as MOST_ROWS fills, for services whose pages are smaller than asked for.
MOST_PAGES = 1000
MOST_BYTES = 500_000_000


class CallCollector:
    """Collects the calls of one question from one list after the other. `keep` turns rows into
    calls; `read` is called with the number of rows so far.
    """

    def __init__(
        self,
        account: str,
        *,
        keep: Callable[[Sequence[Row]], list[ApiCall]],
        read: Callable[[int], None],
    ) -> None:
        self.rows = self.offset = 0
        self.wants_more = True
        self.read = read
        self._account = account
        self._keep = keep
        self._calls: list[ApiCall] = []
        self._notes: list[str] = []
        self._pages = self._bytes = 0
        self._counts: set[int] = set()
        self._counted = 0
        self._unreadable = 0
        self._last_page: set[int] = set()
        self._this_list: set[int] = set()
        self._other_lists: set[int] = set()

    def begin(self) -> None:
        """Begins a list. Rows that were on an earlier one are not counted again."""
        self._other_lists |= self._this_list
        self._this_list = set()
        self._last_page = set()
        self._counts = set()
        self.offset = 0
        self.wants_more = not self._is_full()

    def add(self, page: Page, limit: int) -> None:
        """Adds a page, and decides whether another one is needed."""
        self._pages += 1
        self._bytes += page.bytes
        if page.count:
            self._counts.add(page.count)
        if page.unreadable:
            self._unreadable += page.unreadable
            self.offset += page.unreadable
        prints = [row.fingerprint() for row in page.rows]
        if not page.rows:
            self.wants_more = False
            return
        # A service that ignores `offset` would be asked for ever.
        if self._last_page.issuperset(prints):
            self._note(
                f"{self._account} sent the same page twice; the rows may not be all there are."
            )
            self.wants_more = False
            return
        fresh = [
            (row, print_)
            for row, print_ in zip(page.rows, prints, strict=True)
            if print_ not in self._last_page
        ]
        # New calls at the front of the list move rows to the next page.
        if len(fresh) < len(prints):
            self._note(
                f"{self._account} moved rows between pages meanwhile; the figures are approximate."
            )
        new = [row for row, print_ in fresh if print_ not in self._other_lists]
        self._calls += self._keep(new)
        # By the rows received: pages may be smaller than asked for.
        self.offset += len(fresh)
        self.rows += len(new)
        self._last_page = set(prints)
        self._this_list.update(prints)
        # The count is a hint; an empty page is the certain end.
        is_last = page.count == self.offset and len(page.rows) + page.unreadable < limit
        self.wants_more = not is_last and not self._is_full()

    def end(self) -> None:
        """Ends a list, and notes where it counted more calls than it sent."""
        if len(self._counts) > 1:
            self._note(
                f"{self._account} counted differently from page to page; the figures are "
                "approximate."
            )
        count = max(self._counts, default=0)
        self._counted += count
        if count > self.offset:
            self._note(f"{self._account} counts {count:,} calls and sent {self.offset:,}.")

    def page(self) -> CallPage:
        """All of it. Raises Incomplete where calls were counted and none came."""
        if self._unreadable:
            rows = "1 row" if self._unreadable == 1 else f"{self._unreadable:,} rows"
            self._note(f"{rows} from {self._account} cannot be read.")
        if self._counted and not self.rows:
            raise Incomplete(
                f"{self._account} counts {self._counted:,} calls and sent none of them.",
                account=self._account,
                hint="Ask again, or for a shorter window.",
            )
        return CallPage(self._calls, complete=not self._notes, notes=tuple(self._notes))

    def _is_full(self) -> bool:
        if self.rows < MOST_ROWS and self._pages < MOST_PAGES and self._bytes < MOST_BYTES:
            return False
        self._note(
            f"Only the first {self.rows:,} calls of {self._account} were read; ask for a shorter "
            "window."
        )
        return True

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)
