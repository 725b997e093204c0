"""The account in the example configuration."""

from __future__ import annotations

EXAMPLE = """\
# Rapid7 Log Search: /usage and /logs
[providers.rapid7-eu]                 # the name people type
kind = "rapid7"
region = "eu"                         # required: us us2 us3 eu ca au ap
# base_url = "https://eu.api.insight.rapid7.com/log_search"    # the other host, or a proxy; wins over region
api_key = "env:RAPID7_API_KEY"        # a key with Read/Write privileges: usage needs it
monthly_quota = "150 GB"              # optional: for quota and forecast
[providers.rapid7-eu.logs]            # optional: short names for logs; a log's own name or ID works without
web = "aee00b66-a543-43dc-b093-53963c2e8f41"
"""
