"""`/apiaudit`: who called which API, and what failed."""
