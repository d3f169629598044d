"""A script: how one upstream call is played. Its rules: `field_rules`, `turn_rules`; its JSON form: `json_form`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gateproof_mock.language.errors import ScriptError, below, known, short, wrong
from gateproof_mock.language.field_rules import check_element, check_wire
from gateproof_mock.language.json_form import turn_from_json, turn_to_json, wire_from_json, wire_to_json
from gateproof_mock.language.turn_rules import check_turn, is_lawful
from gateproof_mock.language.turns import ELEMENTS, Element, Ending
from gateproof_mock.language.wire import Wire

__all__ = ["Script", "ScriptError", "script", "scripts_from_json"]

_PLAIN = Wire()


@dataclass(frozen=True, slots=True)
class Script:
    """One call's answer: the turn, and how it is put on the wire. Raises ScriptError for what cannot be played."""

    turn: tuple[Element, ...] = ()
    wire: Wire = field(default_factory=Wire)

    def __post_init__(self) -> None:
        for i, element in enumerate(self.turn):
            if not isinstance(element, Element) or type(element) not in ELEMENTS.values():
                raise wrong(f"say[{i}]", f"expected an element such as text('Hello'), got {short(element)}")
            check_element(element, f"say[{i}].{element.KEY}")
        if not isinstance(self.wire, Wire):
            raise wrong("wire", f"expected a Wire, got {short(self.wire)}")
        if self.wire != _PLAIN:
            check_wire({f.name: getattr(self.wire, f.name) for f in fields(Wire)}, "wire")
        check_turn(self.turn, self.wire, "")

    @property
    def ending(self) -> Ending | None:
        """The turn's one ending; None when it is completed without saying so."""
        return next((e for e in self.turn if isinstance(e, Ending)), None)

    @property
    def lawful(self) -> bool:
        """Whether a provider that keeps its own documents could have sent this."""
        return is_lawful(self.turn, self.wire)

    def to_json(self) -> dict[str, Any]:
        wire = wire_to_json(self.wire)
        return {"say": turn_to_json(self.turn)} | ({"wire": wire} if wire else {})

    @classmethod
    def from_json(cls, data: object, path: str = "script") -> Script:
        """Read the JSON form. Raises ScriptError."""
        if not isinstance(data, Mapping):
            raise wrong(path, f"expected an object with `say`, got {short(data)}")
        known(data, ("say", "wire"), path)
        turn = turn_from_json(data.get("say", []), below(path, "say"))
        wire = wire_from_json(data.get("wire", {}), below(path, "wire"))
        # Again below, for whoever writes Python; here so that the message has the path of this document.
        check_turn(turn, wire, path)
        return cls(turn, wire)


def script(*elements: Element, wire: Wire | None = None) -> Script:
    """A script from elements. Raises ScriptError for what cannot be played, such as text after the ending."""
    return Script(tuple(elements), wire or Wire())


def scripts_from_json(data: object, path: str = "calls") -> tuple[Script, ...]:
    """The scripts of a first, second, nth call; later calls repeat the last. Raises ScriptError."""
    if not isinstance(data, list | tuple) or not data:
        raise wrong(path, f"expected a list of at least one script, got {short(data)}")
    return tuple(Script.from_json(s, f"{path}[{i}]") for i, s in enumerate(data))
