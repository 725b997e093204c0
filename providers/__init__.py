"""Where facts come from: one folder a vendor. Nothing in here knows Slack, state, or anything above
it.
"""
