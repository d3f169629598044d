"""Hypothesis strategies for how a turn is put on the wire: each habit that the dialects' documents, HTTP and SSE allow."""

from __future__ import annotations

from hypothesis import strategies as st

from gateproof_mock import Wire

_SPLITS = (0, 0, 1, 2, 3, 7, 64, 1000)
"""Bytes to a write. 0: as they come."""


def wires() -> st.SearchStrategy[Wire]:
    """The plain wire, or one with several habits at once."""
    habits = st.builds(
        Wire,
        reasoning_key=st.sampled_from(["reasoning_content", "reasoning"]),
        terminal_output=st.sampled_from(["full", "empty"]),
        done=st.booleans(),
        line_end=st.sampled_from(["lf", "crlf", "cr", "mixed"]),
        no_space=st.booleans(),
        data_lines=st.integers(1, 4),
        ascii=st.booleans(),
        bom=st.booleans(),
        event_ids=st.booleans(),
        retry=st.sampled_from([0, 3000]),
        opening_comment=st.sampled_from(["", "connected"]),
        comments=st.sampled_from(["", "ping", "data: not"]),
        split_every=st.sampled_from(_SPLITS),
        split_at=st.lists(st.integers(1, 3000), max_size=3).map(lambda places: tuple(sorted(set(places)))),
        together=st.sampled_from([1, 0, 3]),
    )
    return st.just(Wire()) | habits
