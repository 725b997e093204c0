"""What the stand-ins of all vendors share: a server on loopback that records its requests, and
made-up facts.
"""
