"""A correct, small, readable translating gateway: the reference that the conformance suite is held against.

It shares no code with the suite on purpose: two independent readings of the same rules.
Start reading at `canonical.py`; the README has the map.
"""
