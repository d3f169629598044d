"""The list of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text


@case("models.list-has-the-clients-form")
def list_has_the_clients_form(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(text("This turn must not be asked for."))
    for path in _aliases(check, claims):
        _assert_list_or_refusal(path, ask(method="GET", path=path, turn=False, routed=False))

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


def _aliases(check: CheckHand, claims: Mapping[str, Any]) -> list[str]:
    """Where a client whose base URL is a claimed alias of Responses asks for models (Codex: /backend-api/codex/models)."""
    routes = claims.get("routes", ()) if check.surface == "responses" else ()
    return sorted({route.removesuffix("/responses") + "/models" for route in routes} - {"/v1/models"})


def _assert_list_or_refusal(path: str, answer: Answer) -> None:
    # No alias claims a list: a refusal may look like any other there. Codex's own list is called `models`.
    if 400 <= answer.status < 500 or answer.status == 501:
        return
    assert answer.status == 200, f"{path}: {answer!r}"
    assert isinstance(answer.body, dict), f"{path}: {answer.body!r}"
    lists = [answer.body[key] for key in ("data", "models") if isinstance(answer.body.get(key), list)]
    assert lists, f"{path}: no list of models in {answer.body!r}"
