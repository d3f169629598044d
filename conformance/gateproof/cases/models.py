"""The list of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text


@case("models.list-has-the-clients-form")
def list_has_the_clients_form(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("This turn must not be asked for."))

    answer = ask(method="GET", path="/v1/models", turn=False, routed=False)

    if 400 <= answer.status < 500 or answer.status == 501:
        assert answer.error.message, f"no error envelope in {answer!r}"
        check.chose("refused")
        return
    assert answer.status == 200, repr(answer)
    check.chose("served")
    kind = answer.headers.get("content-type", "")
    assert kind.startswith("application/json"), f"content type {kind!r}"
    assert isinstance(answer.body, dict), f"no object: {answer.body!r}"
    listed = answer.body.get("data")
    assert isinstance(listed, list), f"data is {listed!r}"
    if check.surface != "messages":
        assert answer.body.get("object") == "list"
    for model in listed:
        assert isinstance(model, dict), f"a model is {model!r}"
        assert isinstance(model.get("id"), str), f"a model has the id {model.get('id')!r}"
        assert model["id"], "a model's id is empty"
        if check.surface == "messages":
            assert model.get("type") == "model", f"a model without Anthropic's type: {model!r}"
        else:
            assert model.get("object") == "model", f"a model without OpenAI's object: {model!r}"


@case("models.alias-gives-a-list-or-refuses")
def alias_gives_a_list_or_refuses(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(text("This turn must not be asked for."))
    for path in sorted({route.removesuffix("/responses") + "/models" for route in claims["routes"]} - {"/v1/models"}):
        answer = ask(method="GET", path=path, turn=False, routed=False)

        if 400 <= answer.status < 500 or answer.status == 501:
            check.chose("refused")
            continue
        assert answer.status == 200, f"{path}: {answer!r}"
        assert isinstance(answer.body, dict), f"{path}: no object: {answer.body!r}"
        # Codex's own list has another name than OpenAI's.
        listed = answer.body.get("data", answer.body.get("models"))
        assert isinstance(listed, list), f"{path}: no list in {answer.body!r}"
        assert all(isinstance(model, dict) for model in listed), f"{path}: the models are {listed!r}"
        check.chose("served")
