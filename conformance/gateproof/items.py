"""The suite's checks as pytest sees them: a tree of areas and requirements, whose `--collect-only` reads as the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from gateproof.catalogue import Requirement, catalogue
from gateproof.checks import Check, product
from gateproof.pairs import MODES, PAIRS
from gateproof.reports.terminal import failure_text
from gateproof.verdicts import BLOCKED, FAILING, KNOWN, SUITE_ERROR

_MODE_MARKS = {mode: "streamed" if mode == "stream" else mode for mode in MODES}
"""`stream` is an area too."""


class CheckFailed(Exception):
    """Carries a record whose verdict is not a pass out of an item."""

    def __init__(self, record: dict[str, Any]) -> None:
        super().__init__(record["message"])
        self.record = record


class Suite(pytest.Collector):
    """The root of an edition's checks. It reads no file of the user's and touches no network."""

    def __init__(self, *, requirements: tuple[Requirement, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.requirements = requirements

    def collect(self) -> Iterator[Area]:
        of: dict[str, list[Requirement]] = {}
        for requirement in self.requirements:
            of.setdefault(requirement.area, []).append(requirement)
        for area, requirements in of.items():
            yield Area.from_parent(self, name=area, nodeid=area, requirements=requirements)

    def checks(self) -> Iterator[CheckItem]:
        """Every check beneath, one area after the other."""
        for area in self.collect():
            for node in area.collect():
                yield from node.collect()


class Area(pytest.Collector):
    """What requirements' ids begin with."""

    def __init__(self, *, requirements: list[Requirement], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.requirements = requirements

    def collect(self) -> Iterator[RequirementNode]:
        for requirement in self.requirements:
            if not requirement.untestable:
                yield RequirementNode.from_parent(
                    self, name=requirement.id, nodeid=requirement.id, requirement=requirement
                )


class RequirementNode(pytest.Collector):
    """One requirement, which `--collect-only` shows with its sentence."""

    def __init__(self, *, requirement: Requirement, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.requirement = requirement

    def __repr__(self) -> str:
        return f"<{self.requirement.level} {self.name}: {self.requirement.text}>"

    def collect(self) -> Iterator[CheckItem]:
        for check in product([self.requirement]):
            yield CheckItem.from_parent(self, name=check.name, nodeid=check.name, check=check)


class CheckItem(pytest.Item):
    """One check. Its node id is its name, whatever the rootdir; marked with its level, area, pair and mode."""

    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check
        self.record: dict[str, Any] | None = None
        for mark in (check.level.lower(), check.requirement.area, str(check.pair), _MODE_MARKS[check.mode]):
            self.add_marker(mark)
        # For pytest's own --junitxml; our junit.xml has them too.
        self.user_properties += [("gateproof.id", check.requirement.id), ("gateproof.level", check.level)]

    def __repr__(self) -> str:
        own = "" if self.check.level == self.check.requirement.level else f", {self.check.level}"
        return f"<Check {self.check.place}{own}>"

    def runtest(self) -> None:
        session = cast(Any, self.config.pluginmanager.get_plugin("gateproof-session"))
        self.record = record = session.runner.run(self.check)
        verdict = record["verdict"]
        if verdict == KNOWN:
            pytest.xfail(record["message"])
        if verdict == BLOCKED:
            pytest.skip(record["message"])
        if verdict == SUITE_ERROR or verdict in FAILING:
            raise CheckFailed(record)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CheckFailed):
            return failure_text(excinfo.value.record)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        # pytest writes the dots of what a node id ends with as "::", which would make another name of it: hence the space.
        return Path(self.nodeid), None, f"{self.name} "


def register_markers(config: pytest.Config) -> None:
    """What `-m` may name: levels, areas, pairs, modes. Registered in runs of the suite only, to leave others' lists alone."""
    words = {
        "must": "checks of a MUST",
        "should": "checks of a SHOULD",
        **{mark: f"checks in mode {mode}" for mode, mark in _MODE_MARKS.items()},
        **{str(pair): f"checks of {pair.surface} served from a {pair.dialect} upstream" for pair in PAIRS},
        **{area: f"requirements of the area {area}" for area in sorted({r.area for r in catalogue().values()})},
    }
    for name, meaning in words.items():
        config.addinivalue_line("markers", f"{name}: {meaning} (gateproof)")
