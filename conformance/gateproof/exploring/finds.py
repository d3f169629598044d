"""A find: the simplest turn that broke something, for people and as files that play it again."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateproof.exploring.asking import Asked
from gateproof.exploring.places import Place
from gateproof.redact import is_secret
from gateproof.transcript import harmless

GATEWAY, KEY = "$GATEWAY", "$GATEWAY_KEY"
"""What stands in a printed command for the gateway's origin and for any credential of it."""

_QUIET = ("host", "connection", "content-length", "user-agent", "accept-encoding")


@dataclass(frozen=True, slots=True)
class Find:
    """`what` broke (Breach.what), with which turn. `shrunk`: no simpler turn was found before the time was over. `steady`: it
    broke again when it was asked once more. `also`: other places where the same turn breaks the same. `note`: what else is to
    be said."""

    what: str
    asked: Asked
    shrunk: bool
    steady: bool = True
    also: tuple[Place, ...] = ()
    note: str = ""

    @property
    def sentence(self) -> str:
        """What broke, in one sentence."""
        return self.note or next((b.sentence for b in self.asked.breaches if b.what == self.what), self.asked.got)

    def to_json(self) -> dict[str, Any]:
        """What is written beside the script, and into the list of all finds."""
        asked = self.asked
        return {
            "what": self.what,
            "sentence": self.sentence,
            "place": asked.place.name,
            "also": [place.name for place in self.also],
            "breaches": [{"what": what, "sentence": sentence} for what, sentence in asked.breaches],
            "shrunk": self.shrunk,
            "steady": self.steady,
            "expected": asked.expectation.to_json(),
            "got": asked.got,
            "request": {"method": asked.method, "path": asked.path, "body": asked.body},
            "curl": self.curl(),
            "script": script_file(asked),
        }

    def curl(self) -> str:
        """The request as a command of the shell; what it answers is the defect, while the script is played."""
        asked = self.asked
        words = [f'"{GATEWAY}"{shlex.quote(asked.path)}']
        for name, value in asked.headers:
            if is_secret(name):
                scheme = "Bearer " if name.lower() == "authorization" else ""
                words.append(f'-H "{name}: {scheme}{KEY}"')
            elif name.lower() not in _QUIET:
                words.append(f"-H {shlex.quote(f'{name}: {value}')}")
        return " ".join(["curl -sN", *words, f"-d {shlex.quote(asked.body)}"])

    def render(self, number: int, folder: Path) -> str:
        """The find as text. `folder` is where its files are."""
        asked = self.asked
        also = [b for b in asked.breaches if b.what != self.what]
        lines = [f"find {number}: {self.what} on {asked.place.pair} ({asked.place})", f"  {self.sentence}"]
        lines += [f"  with it {what}: {sentence}" for what, sentence in also[:5]]
        if self.also:
            lines.append(f"  also on {', '.join(place.name for place in self.also)}")
        if not self.steady:
            lines.append("  not every time: asked once more, the same turn broke nothing of the kind")
        if not self.shrunk:
            lines.append("  not shrunk to the end")
        lines += [
            f"  turn:   {json.dumps(asked.script.to_json())[:1000]}",
            f"  replay: gateproof mock --script {shlex.quote(str(folder / script_name(number)))}",
            f"  ask:    {self.curl()}",
        ]
        # What the gateway said may be in the sentences.
        return "\n".join(harmless(line) for text in lines for line in text.split("\n"))

    def write(self, number: int, folder: Path) -> None:
        """The two files of the find: the script, as `gateproof mock --script` plays it, and what is known beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / script_name(number), script_file(self.asked))
        _write(folder / expected_name(number), self.to_json())


def script_name(number: int) -> str:
    return f"find-{number}.json"


def expected_name(number: int) -> str:
    return f"find-{number}.expected.json"


def script_file(asked: Asked) -> dict[str, Any]:
    """A file of scripts with this one: the marker stands in the request, by which the mock knows that it is meant."""
    return {asked.marker: [asked.script.to_json()]}


def remove_old(folder: Path) -> None:
    """Files of an earlier exploration would be taken for this one's."""
    for file in folder.glob("find-*.json"):
        file.unlink()


def _write(file: Path, document: dict[str, Any]) -> None:
    # ASCII, for what a turn says may be invisible, or be obeyed by a terminal.
    file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
