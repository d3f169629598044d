"""Images and files on their way to the upstream: they arrive, or the client is told; they never vanish, nor become prose."""

from __future__ import annotations

from gateproof.asking.question import Called, Document, Picture, Question, Said, Tool, Words, returned, user
from gateproof.cases.contested import in_order, is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text

ANSWER = text("Under", "stood.")

DOT = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
GIF = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
FAR = "https://pictures.invalid/a%20cat.png?size=1&sharp"
"""No name that ends in .invalid is ever resolved: a gateway that wants to fetch it learns so at once."""

PAPER = Document("JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSPj4KJSVFT0YK")

TOOLS = (Tool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}}),)
LOOK, AGAIN = Called("call_look1", "look", '{"at": "the sky"}'), Called("call_look2", "look", '{"at": "the sea"}')


@case("request.images-arrive-or-are-refused")
def images_arrive_or_are_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for urls in ((DOT,), (DOT, GIF), (FAR,)):
        parts = [part for url in urls for part in (Picture(url), Words(f"Then this, of {len(url)}:"))]
        asked = Question((user("Look at this:", *parts),))

        answer = ask(asked)

        # Who fetches a picture and cannot may say so with any status: the upstream was not asked, and the client knows.
        if is_refusal(ask, answer) or (urls == (FAR,) and answer.failed and not ask.last.calls):
            check.chose("refused")
            continue
        found = ask.received
        assert not found.strange, f"no parts of this API: {found.strange}"
        assert found.pictures == list(urls), f"of {len(urls)} images arrived {[url[:60] for url in found.pictures]}"
        order = [_shown(part) for item in found.items if isinstance(item, Said) for part in item.parts]
        wanted = [_shown(part) for part in asked.parts]
        assert in_order("\n".join(order), wanted), f"the order became {order}"
        check.chose("forwarded")


def _shown(part: object) -> str:
    return part.url[-40:] if isinstance(part, Picture) else getattr(part, "text", repr(part))


@case("request.returned-images-arrive-or-are-refused")
def returned_images_arrive_or_are_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    results = {
        "an image alone": (returned(LOOK.id, Picture(DOT)), returned(AGAIN.id, "Nothing.")),
        "words and an image": (
            returned(LOOK.id, "Clouds:", Picture(DOT), "That is all."),
            returned(AGAIN.id, "Nothing."),
        ),
        "an image in each of two results": (returned(LOOK.id, Picture(DOT)), returned(AGAIN.id, Picture(GIF))),
    }
    for what, given in results.items():
        asked = Question((user("What is there?"), LOOK, AGAIN, *given), TOOLS)

        answer = ask(asked)

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        found = ask.received
        assert not found.strange, f"{what}: no parts of this API: {found.strange}"
        # Where results hold text only, an image may follow in a message of the user's.
        assert found.pictures == asked.pictures, (
            f"{what}: of {len(asked.pictures)} images {len(found.pictures)} arrived"
        )
        assert len(found.results) == 2, f"{what}: of two results {len(found.results)} arrived"
        for result, sent in zip(found.results, given, strict=True):
            words = [part.text for part in sent.parts if isinstance(part, Words)]
            assert in_order(result.text, words), f"{what}: of {words} came {result.text!r}"
            assert "base64" not in result.text, f"{what}: an image became prose"
        check.chose("forwarded")


@case("request.files-arrive-or-are-refused")
def files_arrive_or_are_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)

    answer = ask(Question((user("Read this:", PAPER, "And be brief."),)))

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    found = ask.received
    papers = [part.data for part in found.parts if isinstance(part, Document)]
    assert papers == [PAPER.data], f"the file did not arrive: {found.items}"
    assert in_order("".join(found.said("user")), ["Read this:", "And be brief."])
    check.chose("forwarded")
