"""Who imports whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

MAY_IMPORT = {
    "gateproof": {"gateproof_mock", "gateproof_schemas"},
    "gateproof_mock": {"gateproof_schemas"},
    "gateproof_schemas": set(),
    "gateproof_reference": set(),
}


def folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def imported(tree: ast.AST) -> Iterator[str]:
    """The top-level packages that this source imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith("import_module")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value).partition(".")[0]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_those_below_it(package: str) -> None:
    files = sorted(folder(package).rglob("*.py"))
    assert files
    for file in files:
        ours = set(imported(ast.parse(file.read_text("utf-8")))) & MAY_IMPORT.keys()
        assert ours <= MAY_IMPORT[package] | {package}, file


def test_an_import_is_seen_wherever_it_stands() -> None:
    source = "def f():\n import a.b\n from c.d import e\n from . import f\n importlib.import_module('g.h')"
    assert set(imported(ast.parse(source))) == {"a", "c", "g"}


def test_the_plugin_alone_loads_nothing_heavy() -> None:
    # Every pytest run of whoever installed us imports it.
    heavy = ("httpx", "jsonschema", "werkzeug", "jinja2", "starlette", "gateproof_mock", "gateproof_schemas")
    script = f"import sys, gateproof.plugin; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
