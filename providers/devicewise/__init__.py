"""Telit deviceWISE (TR50 over HTTP): recorded API calls by `usage.api.list`."""
