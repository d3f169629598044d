"""The suite inside pytest: collection, order, running, reporting. One object for controller and workers alike."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, NoReturn

import pytest

from gateproof.again import again
from gateproof.checks import NAME, Selection, product
from gateproof.edition import edition
from gateproof.house import Directions, House
from gateproof.items import CheckItem, Suite, register_markers
from gateproof.options import option
from gateproof.preflight import Findings, Refused
from gateproof.redact import Redactor
from gateproof.registry import alone
from gateproof.reports.store import Store, StoreError
from gateproof.reports.terminal import announce_area, leave_to_the_summary, report_status, write_summary
from gateproof.runner import Runner
from gateproof.settings import Settings, SettingsError, read
from gateproof.verdicts import (
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
    EXIT_SUITE_ERROR,
    EXIT_USAGE,
    SUITE_ERROR,
    exit_code,
)


class SuiteSession:
    """Registered as a plugin when a gateway is given."""

    def __init__(self, config: pytest.Config) -> None:
        try:
            self.settings: Settings = read(
                lambda name: config.getoption("gateproof_strict") if name == "strict" else option(config, name)
            )
        except SettingsError as error:
            raise pytest.UsageError(str(error)) from error
        self.config = config
        self.worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
        self.house: House | None = None
        self.store: Store | None = None
        self.records: list[dict[str, Any]] = []
        self.not_claimed = 0
        self.summary_has_transcripts = False
        self.refusal = ""
        self.fault = ""
        self.findings = Findings()
        self.redactor = Redactor([self.settings.gateway.key, *(v for _, v in self.settings.gateway.headers if v)])
        self.selection: Selection | None
        self.paths: list[str] = []
        self._take_arguments()
        register_markers(config)

    @property
    def is_controller(self) -> bool:
        return self.worker_input is None

    @property
    def runs(self) -> bool:
        """Whether checks are run at all: not with `--collect-only`, and not when the user named only files of their own."""
        return self.selection is not None and not self.config.option.collectonly

    def _take_arguments(self) -> None:
        """Names of checks among the arguments select checks; other arguments are the user's own tests."""
        if self.worker_input is not None:
            arguments = json.loads(self.worker_input["gateproof"])
            self.selection = (
                Selection(**{k: tuple(v) for k, v in arguments["selection"].items()})
                if arguments["selection"]
                else None
            )
            self.paths = arguments["paths"]
            return
        given = self.config.args if self.config.args_source is pytest.Config.ArgsSource.ARGS else []
        names = [a for a in given if NAME.fullmatch(a)]
        self.paths = [a for a in given if not NAME.fullmatch(a)]
        chosen = self.settings.selection
        if names:
            chosen = Selection((*chosen.ids, *names), chosen.pairs, chosen.modes)
        self.selection = chosen if names or not self.paths else None

    # -- start and end

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if not self.runs:
            return
        if self.is_controller:
            self.house = House(self.settings)
            try:
                self.store = Store(self.settings.report_dir)
                self.house.open()
                self.findings = self.house.findings
                self.store.begin(self._about())
            except Refused as refused:
                self._refuse(str(refused), EXIT_NOTHING)
            except StoreError as error:
                self._refuse(f"--report-dir: {error}", EXIT_USAGE)
            except BaseException:
                self.house.close()
                raise
            self.craft = self.house.craft("main")
        else:
            data = json.loads(self.worker_input["gateproof"])  # type: ignore[index]
            directions = Directions(**data["directions"])
            self.findings = Findings(**directions.findings)
            self.craft = directions.craft(self.settings, self.worker_input["workerid"])  # type: ignore[index]

    def _refuse(self, why: str, code: int) -> NoReturn:
        assert self.house is not None
        self.refusal = self.redactor.text(why)
        self.house.close()
        if self.store is not None:
            self.store.close()
        # Here, not in the summary: pytest writes none for a session that did not begin.
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.section("gateproof: the run cannot begin", sep="=", red=True)
            reporter.write_line(self.refusal)
        pytest.exit("nothing was measured", returncode=code)

    def _about(self) -> dict[str, Any]:
        assert self.house is not None
        gateway = self.house.gateway
        return {
            "gateway": {
                "name": gateway.name,
                "version": gateway.version,
                "url": gateway.origin,
                **({"configuration": gateway.configuration} if gateway.configuration else {}),
            },
            "edition": self.settings.edition,
            "claims": gateway.stated,
            "served": self.findings.served,
            "strict": self.settings.strict,
        }

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """xdist: what a worker gets from us."""
        assert self.house is not None
        directions = self.house.directions()
        chosen = self.selection
        node.workerinput["gateproof"] = json.dumps(
            {
                "directions": {name: getattr(directions, name) for name in Directions.__dataclass_fields__},
                "selection": None
                if chosen is None
                else {"ids": chosen.ids, "pairs": chosen.pairs, "modes": chosen.modes},
                "paths": self.paths,
            }
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """xdist: a worker that died holds no lease any more."""
        if self.house is not None:
            self.house.coordinator.worker_gone(node.gateway.id, died=error is not None)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if not self.runs or self.refusal:
            return
        self.craft.close()
        if not self.is_controller:
            return
        # pytest's sections are also those of the user's own tests.
        self.summary_has_transcripts = not self.paths and leave_to_the_summary(self.config, len(self.records))
        try:
            if self.store is not None:
                self.store.finish(self.records, self.not_claimed, complete=exitstatus != EXIT_INTERRUPTED)
        except OSError as error:
            self._unwritten(error)
        finally:
            if self.house is not None:
                self.house.close()
        if self.fault:
            session.exitstatus = EXIT_SUITE_ERROR
            return
        if exitstatus in (EXIT_INTERRUPTED, 3, 4):
            return
        ours = exit_code(self.records, strict=self.settings.strict)
        session.exitstatus = max(ours, 1) if self.paths and exitstatus == 1 else ours

    # -- collection

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> object:
        if self.selection is None:
            return None
        if self.is_controller and self.config.pluginmanager.has_plugin("dsession"):
            return None
        items: list[pytest.Item] = []
        if self.paths:
            session.perform_collect(self.paths)
            items.extend(session.items)
        name = f"gateproof, edition {self.settings.edition}"
        suite = Suite.from_parent(session, name=name, nodeid="gateproof", requirements=edition(self.settings.edition))
        chosen = [item for item in suite.checks() if self.selection.takes(item.check)]
        session.items = [*items, *chosen]
        # What pytest's own collection announces for each collector: the terminal counts by it.
        report = pytest.CollectReport(nodeid=suite.nodeid, outcome="passed", longrepr=None, result=list(chosen))
        self.config.hook.pytest_collectreport(report=report)
        session.testscollected = len(session.items)
        hook = self.config.hook
        hook.pytest_collection_modifyitems(session=session, config=self.config, items=session.items)
        hook.pytest_collection_finish(session=session)
        session.testscollected = len(session.items)
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What is not claimed or not served goes; lone cases and then invariants come last, in whatever order the rest is."""
        if self.selection is None:
            return
        if self.runs:
            gone = [
                i for i in items if isinstance(i, CheckItem) and not self.findings.applies(i.check, self.craft.gateway)
            ]
            if gone:
                self.config.hook.pytest_deselected(items=gone)
                items[:] = [i for i in items if i not in gone]
            self.not_claimed = len(gone)
        items.sort(key=_act)
        if self.runs:
            checks = [i.check for i in items if isinstance(i, CheckItem)]
            self.runner = Runner(self.craft, self.redactor, self.settings.baseline, self.findings.blocked, checks)

    # -- reports

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Generator[None, Any, None]:
        outcome = yield
        if isinstance(item, CheckItem) and call.when == "call" and item.record is not None:
            report = outcome.get_result()
            report.gateproof = json.dumps(item.record)
            report.gateproof_verdict = item.record["verdict"]
            report.gateproof_not_claimed = self.not_claimed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        if not self.is_controller:
            return
        if not hasattr(report, "gateproof"):
            self._crashed(report)
            return
        record = json.loads(report.gateproof)
        self.not_claimed = max(self.not_claimed, report.gateproof_not_claimed)
        self._keep(record)

    def _keep(self, record: dict[str, Any]) -> None:
        self.records.append(record)
        if self.store is not None:
            try:
                self.store.add(record)
            except OSError as error:
                self._unwritten(error)
                pytest.exit(self.fault, returncode=EXIT_SUITE_ERROR)

    def _unwritten(self, error: OSError) -> None:
        self.fault = f"the report in {self.settings.report_dir} cannot be written: {error.strerror}"

    def _crashed(self, report: Any) -> None:
        """xdist reports a worker that died as a failure of the check it ran."""
        found = NAME.fullmatch(report.nodeid)
        if found is None or report.when not in ("???", "call") or self.house is None:
            return
        check = next((c for c in product(edition(self.settings.edition)) if c.name == report.nodeid), None)
        if check is None:
            return
        self.house.coordinator.settle(check.place, check.name)
        self._keep(
            {
                "name": check.name,
                "id": check.requirement.id,
                "revision": check.requirement.revision,
                "pair": str(check.pair),
                "mode": check.mode,
                "level": check.level,
                "verdict": SUITE_ERROR,
                "message": f"the worker died: {report.longreprtext}",
                "alternatives": [],
                "began": 0,
                "seconds": 0,
                "exchanges": 0,
                "scripts": [],
                "transcripts": [],
            }
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> Any:
        if hasattr(report, "gateproof"):
            return report_status(report.gateproof_verdict)
        return None

    def pytest_report_header(self) -> list[str]:
        if self.selection is None:
            return ["gateproof: arguments were given, so only they are collected; name no path to run the suite"]
        lines = [f"gateproof: edition {self.settings.edition}; collecting the suite's own checks, not files"]
        if self.house is not None:
            gateway = self.house.gateway
            configuration = f", configuration {gateway.configuration!r}" if gateway.configuration else ""
            lines.append(f"gateway: {gateway.origin}, model {gateway.model!r}{configuration}")
            lines.append(f"mock upstream: {self.house.upstream_url}")
            lines.append(f"preflight: {self.findings.describe()}")
        return lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        # With xdist, checks of all areas are under way at once.
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not self.config.pluginmanager.has_plugin("dsession"):
            announce_area(reporter, nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.fault:
            terminalreporter.write_line(self.fault, red=True)
        if self.runs and self.is_controller and not self.refusal:
            write_summary(
                terminalreporter,
                self.records,
                self.not_claimed,
                self.findings,
                self.settings.report_dir,
                strict=self.settings.strict,
                command=again(self.config),
                transcripts=self.summary_has_transcripts,
            )
            if count := len(self.settings.baseline.to_review):
                entries = "entry" if count == 1 else "entries"
                terminalreporter.write_line(f"baseline: {count} unreviewed {entries}", yellow=True)


def _act(item: pytest.Item) -> int:
    if not isinstance(item, CheckItem):
        return 0
    if item.check.requirement.invariant:
        return 2
    return 1 if alone(item.check.requirement.id) else 0
