"""Benchmarks: `make bench`. Side by side on loopback in one run; read the ratios, not the
milliseconds.
"""
