"""Citations of pages: nested in Chat Completions, flat in Responses (OpenAI API reference; llmgateway#2992).

Their places are counted in characters: in Chat Completions from the start of the message, in Responses from the start of the
part. Other kinds of citation name files and documents of one provider, which no other API can be told of.
"""

from gateproof_reference.canonical import Cited
from gateproof_reference.wirejson import Object, integer, text

KIND = "url_citation"


def read(annotation: Object, base: int = 0) -> Cited | None:
    """Return the citation in an annotation of either form, None if it is of another kind.

    `base` is where the text begins that the annotation counts from.
    """
    nested = annotation.get(KIND)
    found = nested if isinstance(nested, dict) else annotation
    if annotation.get("type") != KIND or not text(found.get("url")):
        return None
    start, end = integer(found.get("start_index")) or 0, integer(found.get("end_index")) or 0
    return Cited(text(found["url"]), text(found.get("title")), base + start, base + end)


def flat(cited: Cited, base: int) -> Object:
    """Return a citation as Responses has it, in a part that begins at `base`."""
    return {"type": KIND, **_members(cited, base)}


def nested(cited: Cited) -> Object:
    """Return a citation as Chat Completions has it."""
    return {"type": KIND, KIND: _members(cited, 0)}


def _members(cited: Cited, base: int) -> Object:
    start, end = max(0, cited.start - base), max(0, cited.end - base)
    return {"start_index": start, "end_index": end, "url": cited.url, "title": cited.title}
