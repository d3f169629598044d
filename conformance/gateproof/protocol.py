"""How `gateproof run` has pytest run checks, in a process of its own: with less than pytest does for anybody's tests."""

from __future__ import annotations

import gc

import pytest

from gateproof.items import CheckItem


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    # Modules, items and the records of checks live as long as the run. To look through them all for circles, a dozen times,
    # took a twentieth of its CPU; what a check leaves behind is found among the younger objects.
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], 100)


def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Call and report, without a setup and a teardown.

    A check has neither, nor has what it stands in, and two thirds of pytest's own work for an item are their two reports. In
    a pytest of the user's they stay, for plugins that count on them. `run.ini` keeps pytest's own such plugin (logging) out.
    """
    if not isinstance(item, CheckItem):
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    call = pytest.CallInfo.from_call(
        lambda: hook.pytest_runtest_call(item=item), when="call", reraise=(pytest.exit.Exception, KeyboardInterrupt)
    )
    hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=item, call=call))
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
