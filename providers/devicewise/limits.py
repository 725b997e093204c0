"""How fast deviceWISE may be asked. “Settings”: a hundred API calls a second for a whole
organisation; half of it is left to other users.
"""

from __future__ import annotations

REQUESTS_PER_S = 50.0
