"""Where facts come from: one folder a vendor. Nothing in here knows Slack, state, or anything above
it.
"""

from __future__ import annotations

import sys

# httpx imports its own command line where that is installed, and Rich and Pygments with it, which
# takes more than half of its time to import. It does without where the module cannot be imported.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
