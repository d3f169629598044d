"""The README: its Python runs, and its tables name everything that there is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from gateproof_mock import Wire
from gateproof_mock.turns import ELEMENTS

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", PYTHON, ids=["script", "barrier"])
def test_its_python_runs(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("name", [*ELEMENTS, *(f.name for f in fields(Wire))])
def test_its_tables_name_everything(name: str) -> None:
    assert re.search(rf"^\| `{name}`", README, re.MULTILINE)


@pytest.mark.parametrize(
    ("key", "name"), [(k, f.name) for k, e in ELEMENTS.items() for f in fields(e) if f.name != "on"]
)
def test_its_tables_name_every_field(key: str, name: str) -> None:
    (row,) = re.findall(rf"^\| `{key}` \|(.*?)\|", README, re.MULTILINE)
    assert re.search(rf"\b{name}\b", row)
