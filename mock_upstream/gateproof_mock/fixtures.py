"""The pytest plugin: a mock provider in anybody's tests, installed with the package and imported when it is used.

    def test_my_gateway(mock_upstream, my_gateway):
        mock_upstream.says(text("Hello."))

        answer = httpx.post(f"{my_gateway}/v1/chat/completions", json={...})

        assert mock_upstream.call().json["model"] == "gpt-5"

`mock_upstream` is a `gateproof_mock.MockView` of this test on the session's `mock_upstream_server`. A gateway that is started
once a session is told `mock_upstream_server.base_url`. Define `mock_upstream_server` in your conftest.py to have another
address, a token, or the load engine:

    @pytest.fixture(scope="session")
    def mock_upstream_server():
        with MockUpstream(port=8089) as mock:
            yield mock

Under pytest-xdist every worker has its own server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gateproof_mock.serving.server import MockUpstream
    from gateproof_mock.view import MockView

# Every pytest of whoever has this package installed imports this module: nothing else belongs up here.


@pytest.fixture(scope="session")
def mock_upstream_server() -> Iterator[MockUpstream]:
    """A running mock provider, one a session (and one an xdist worker)."""
    from gateproof_mock.serving.server import MockUpstream

    with MockUpstream() as running:
        yield running


@pytest.fixture
def mock_upstream(mock_upstream_server: MockUpstream, request: pytest.FixtureRequest) -> Iterator[MockView]:
    """This test's view on the mock: `says`, `plays`, `call`, `calls`, `release` ... Its scripts end with the test."""
    from gateproof_mock.view import MockView

    with MockView(mock_upstream_server, request.node.name) as view:
        yield view
