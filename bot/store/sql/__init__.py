"""The ports in SQL that every backend runs."""
