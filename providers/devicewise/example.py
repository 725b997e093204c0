"""The account in the example configuration."""

from __future__ import annotations

EXAMPLE = """\
# deviceWISE TR50: /apiaudit
[providers.iot]
kind = "devicewise"
base_url = "https://api.devicewise.com"
username = "env:DW_USER"              # with password; or app_token, app_id and thing_key
password = "env:DW_PASSWORD"
# org = "ACME"                        # switch to this organisation
# show_all = true                     # all organisations; needs Super-Ops
"""
