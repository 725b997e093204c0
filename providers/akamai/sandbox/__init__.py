"""A stand-in of Akamai's Reporting API: `server` answers, `rows` are the recorded calls, `filters`
select among them, `signature` checks requests and `refusals` are its errors.
"""

from providers.akamai.sandbox.rows import example_rows
from providers.akamai.sandbox.server import V1, V2, AkamaiSandbox

__all__ = ["V1", "V2", "AkamaiSandbox", "example_rows"]
