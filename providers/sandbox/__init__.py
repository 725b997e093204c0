"""What the stand-ins of all vendors share: a loopback server that records its requests, and sample
data.
"""
