"""Token counts in both vocabularies."""

from typing import Any

import pytest
from gateway_scenes import CHAT_USAGE, USAGE

from gateproof_reference import usage


def test_chat_counts_survive_to_responses() -> None:
    counted = usage.read(CHAT_USAGE, usage.CHAT)
    assert counted is not None
    assert usage.to_chat(counted) == CHAT_USAGE
    told = usage.to_responses(counted)
    assert told["output_tokens_details"] == {"reasoning_tokens": 112, "audio_tokens": 5}
    assert {**told, "output_tokens_details": USAGE["output_tokens_details"]} == USAGE


def test_responses_counts_survive_to_chat() -> None:
    counted = usage.read(USAGE, usage.RESPONSES)
    assert counted is not None
    assert usage.to_chat(counted) == CHAT_USAGE


def test_zeros_are_required_on_responses_and_left_out_on_chat() -> None:
    counted = usage.read(
        {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 0}}, usage.CHAT
    )
    assert counted is not None
    totals = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert usage.to_chat(counted) == totals
    assert usage.to_responses(counted)["input_tokens_details"] == {"cached_tokens": 0}
    assert usage.to_responses(counted)["output_tokens_details"] == {"reasoning_tokens": 0}


def test_a_total_is_verbatim_even_if_it_is_no_sum() -> None:
    counted = usage.read({"input_tokens": 1, "output_tokens": 2, "total_tokens": 9}, usage.RESPONSES)
    assert counted is not None
    assert usage.to_chat(counted)["total_tokens"] == 9


@pytest.mark.parametrize("value", [None, {}, [], {"prompt_tokens": "5"}, {"prompt_tokens": True}, {"input_tokens": 1}])
def test_what_counts_nothing_is_no_usage(value: Any) -> None:
    assert usage.read(value, usage.CHAT) is None
