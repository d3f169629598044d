"""A correct, small, readable translating gateway: the reference that the conformance suite is held against.

It shares no code with the suite on purpose: two independent readings of the same rules. Start reading at `canonical.py`;
the README has the map.

What is named here is the library: the translators as functions, for the tests of other gateways. It is loaded when it is
first asked for, because a gateway that starts needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateproof_reference.canonical import Identity
    from gateproof_reference.failures import Failure
    from gateproof_reference.reading import Call, Turn, read_turn
    from gateproof_reference.streams import Frame
    from gateproof_reference.translation import (
        StreamTranslator,
        TranslationError,
        gather_stream,
        stream_response,
        translate_error,
        translate_request,
        translate_response,
        translate_stream,
    )
    from gateproof_reference.usage import Usage

__all__ = [
    "Call",
    "Failure",
    "Frame",
    "Identity",
    "StreamTranslator",
    "TranslationError",
    "Turn",
    "Usage",
    "gather_stream",
    "read_turn",
    "stream_response",
    "translate_error",
    "translate_request",
    "translate_response",
    "translate_stream",
]

_MODULES = {
    "Call": "reading",
    "Failure": "failures",
    "Frame": "streams",
    "Identity": "canonical",
    "Turn": "reading",
    "Usage": "usage",
    "read_turn": "reading",
}
"""Where a name lives, if not in `translation`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'translation')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
