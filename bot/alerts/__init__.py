"""Questions that are watched: rules, what becomes of them at each evaluation, and what is told of
it (pure).
"""
