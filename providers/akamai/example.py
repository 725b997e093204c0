"""The account in the example configuration."""

from __future__ import annotations

EXAMPLE = """\
# Akamai Reporting: /apiaudit
[providers.edge]
kind = "akamai"
# edgerc = "~/.edgerc"                # this file and its section, instead of the next four
# section = "default"
host = "akab-example.luna.akamaiapis.net"    # required: of the API client, with the next three
client_token = "env:AKAMAI_CLIENT_TOKEN"
client_secret = "env:AKAMAI_CLIENT_SECRET"
access_token = "env:AKAMAI_ACCESS_TOKEN"
account_ids = ["1-123A", "1-1TGTG"]   # required: the accounts that are reported on
report = "v1"                         # v1: apiusagedetails-by-time; v2: common/apis/usage-details, its successor
method = "POST"                       # v1: POST, or the cacheable GET
accept = "json"                       # v1: json or csv
# account_switch_key = "1-ABCD"
"""
