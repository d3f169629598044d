"""The list of models."""

from __future__ import annotations

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
