"""The pytest plugin. Without `--gateway-url` or `--gateway` it adds options and nothing else."""

from __future__ import annotations

import pytest

from gateproof.options import active, add_options


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if not active(config):
        return
    pytest.register_assert_rewrite("gateproof.cases")
    # Imported here: a pytest run without a gateway must not pay for the suite.
    from gateproof.session import SuiteSession

    config.pluginmanager.register(SuiteSession(config), "gateproof-session")
