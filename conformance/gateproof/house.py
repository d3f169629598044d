"""The controller's house: the mock, the coordinator, the started gateway, the preflight. Workers get its addresses."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from gateproof import preflight
from gateproof.client import GatewayClient
from gateproof.coordinator import Coordinator, CoordinatorProxy, CoordinatorServer, connect
from gateproof.files import Gateway
from gateproof.gateway_process import GatewayProcess, StartError, filled, words_of
from gateproof.preflight import Findings, Refused
from gateproof.settings import Settings
from gateproof.stagehands import EXCHANGE_CEILING, Stagecraft
from gateproof_mock import LocalMock, MockError, MockUpstream, RemoteMock, run_part


@dataclass(slots=True)
class Directions:
    """What a worker needs to find its way: plain values only, for they travel through xdist."""

    gateway_url: str
    headers: tuple[tuple[str, str], ...]
    model: str
    attached: str
    """The URL of a mock that was there before; "" for the controller's own, which is met where the coordinator is."""
    token: str
    coordinator: tuple[str, int]
    coordinator_key: str
    run: str
    findings: dict[str, Any] = field(default_factory=dict)

    def craft(self, settings: Settings, worker: str) -> Stagecraft:
        """What a worker of another process acts with."""
        gateway = replace(settings.gateway, url=self.gateway_url, headers=self.headers, model=self.model)
        coordinator, mock = connect(self.coordinator, self.coordinator_key)
        if self.attached:
            mock = RemoteMock(self.attached, self.token)
        return _craft(settings, gateway, mock, coordinator, self.run, worker)


def _craft(
    settings: Settings, gateway: Gateway, mock: RemoteMock, coordinator: CoordinatorProxy, run: str, worker: str
) -> Stagecraft:
    return Stagecraft(
        gateway=gateway,
        client=GatewayClient(gateway.origin, gateway.key, gateway.headers, EXCHANGE_CEILING * settings.patience),
        mock=mock,
        coordinator=coordinator,
        run=run,
        worker=worker,
        patience=settings.patience,
    )


class House:
    """Opened once, in the controller. `open` raises Refused with the one message that the user is to read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = contextlib.ExitStack()
        self._server: CoordinatorServer | None = None
        self._mock: MockUpstream | None = None
        self.coordinator = Coordinator()
        self.run = run_part()
        self.upstream_url = ""
        self.gateway = settings.gateway
        self.findings = Findings()

    def open(self) -> None:
        settings = self._settings
        self._mock_url, self._token = self._open_mock()
        # Some gateways are told by each request where its upstream is.
        words = words_of(settings.gateway, self.upstream_url)
        headers = tuple((name, filled(value, words)) for name, value in settings.gateway.headers)
        gateway = replace(settings.gateway, headers=headers)
        if gateway.start is not None:
            process = GatewayProcess(gateway, self.upstream_url, settings.report_dir / "gateway.log", settings.patience)
            try:
                gateway = replace(gateway, url=self._stack.enter_context(process).url)
            except StartError as error:
                raise Refused(str(error)) from error
            self.coordinator.watch_gateway(process.ending)
        self.gateway = gateway
        craft = self.craft("preflight")
        self._stack.callback(craft.close)
        if not gateway.model:
            # No model was named: the first that the gateway lists, or a name that any wildcard route takes.
            listed = preflight.model_names(craft.client.get_json("/v1/models"))
            self.gateway = craft.gateway = replace(gateway, model=listed[0] if listed else "gateproof")
        try:
            self.findings = preflight.run(craft, self.upstream_url, settings.assume)
        except MockError as error:
            raise Refused(f"The mock upstream is lost: {error}") from error

    def craft(self, worker: str) -> Stagecraft:
        """What acts in this process: with the coordinator itself, and with our own mock's control API by call."""
        mock = RemoteMock(self._mock_url, self._token) if self._mock is None else LocalMock(self._mock)
        return _craft(self._settings, self.gateway, mock, self.coordinator, self.run, worker)

    def directions(self) -> Directions:
        """For a worker of another process. The coordinator is served from the first time on that one asks."""
        if self._server is None:
            self._server = CoordinatorServer(self.coordinator, LocalMock(self._mock) if self._mock else None)
        return Directions(
            gateway_url=self.gateway.url,
            headers=self.gateway.headers,
            model=self.gateway.model,
            attached=self._settings.attach and self._mock_url,
            token=self._token,
            coordinator=self._server.address,
            coordinator_key=self._server.key,
            run=self.run,
            findings={name: getattr(self.findings, name) for name in Findings.__dataclass_fields__},
        )

    def _open_mock(self) -> tuple[str, str]:
        settings = self._settings
        if settings.attach:
            origin = RemoteMock(settings.attach, settings.token)
            self._stack.callback(origin.close)
            try:
                origin.health()
            except MockError as error:
                raise Refused(f"--upstream-attach: {error}.\nStart one with `gateproof mock`.") from error
            self.upstream_url = f"{origin.origin}/v1"
            return origin.origin, settings.token
        host, port = settings.listen
        mock = MockUpstream(host, port, token=secrets.token_urlsafe(16))
        try:
            mock.start()
        except OSError as error:
            raise Refused(
                f"The mock upstream cannot listen at {host}:{port}: {error.strerror or error}.\n"
                "Free the port, choose another with --upstream-listen HOST:PORT (and tell the gateway), or use the mock that "
                "is already there with --upstream-attach URL."
            ) from error
        self._mock = mock
        self._stack.callback(mock.stop)
        reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        self.upstream_url = f"http://{reachable}:{mock.port}/v1"
        return f"http://{reachable}:{mock.port}", mock.control_token

    def close(self) -> None:
        self._stack.close()
