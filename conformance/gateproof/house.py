"""The controller's house: the mock, the coordinator, the started gateway, the preflight. Workers get its addresses."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from gateproof import preflight
from gateproof.client import GatewayClient
from gateproof.coordinator import CoordinatorServer, connect
from gateproof.gateway_process import GatewayProcess, StartError
from gateproof.preflight import Findings, Refused
from gateproof.settings import Settings
from gateproof.stagehands import EXCHANGE_CEILING, Stagecraft
from gateproof_mock import MockError, MockUpstream, RemoteMock, run_part


@dataclass(slots=True)
class Directions:
    """What a worker needs to find its way: plain values only, for they travel through xdist."""

    gateway_url: str
    model: str
    mock: str
    token: str
    coordinator: tuple[str, int]
    coordinator_key: str
    run: str
    findings: dict[str, Any] = field(default_factory=dict)

    def craft(self, settings: Settings, worker: str) -> Stagecraft:
        """What a worker acts with."""
        gateway = replace(settings.gateway, url=self.gateway_url, model=self.model)
        return Stagecraft(
            gateway=gateway,
            client=GatewayClient(gateway.origin, gateway.key, gateway.headers, EXCHANGE_CEILING * settings.patience),
            mock=RemoteMock(self.mock, self.token),
            coordinator=connect(self.coordinator, self.coordinator_key),
            run=self.run,
            worker=worker,
            patience=settings.patience,
        )


class House:
    """Opened once, in the controller. `open` raises Refused with the one message that the user is to read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = contextlib.ExitStack()
        self.coordinator = CoordinatorServer()
        self.run = run_part()
        self.upstream_url = ""
        self.directions: Directions | None = None
        self.findings = Findings()

    def open(self) -> None:
        settings = self._settings
        mock_url, token = self._open_mock()
        gateway = settings.gateway
        if gateway.start is not None:
            process = GatewayProcess(gateway, self.upstream_url, settings.report_dir / "gateway.log", settings.patience)
            try:
                gateway = replace(gateway, url=self._stack.enter_context(process).url)
            except StartError as error:
                raise Refused(str(error)) from error
            self.coordinator.coordinator.watch_gateway(process.ending)
        self.directions = Directions(
            gateway_url=gateway.url,
            model=gateway.model,
            mock=mock_url,
            token=token,
            coordinator=self.coordinator.address,
            coordinator_key=self.coordinator.key,
            run=self.run,
        )
        craft = self.directions.craft(settings, "preflight")
        self._stack.callback(craft.close)
        if not gateway.model:
            # No model was named: the first that the gateway lists, or a name that any wildcard route takes.
            listed = preflight.model_names(craft.client.get_json("/v1/models"))
            self.directions.model = listed[0] if listed else "gateproof"
            craft.gateway = replace(craft.gateway, model=self.directions.model)
        try:
            self.findings = preflight.run(craft, self.upstream_url, settings.assume)
        except MockError as error:
            raise Refused(f"The mock upstream is lost: {error}") from error
        self.gateway = craft.gateway
        self.directions.findings = {name: getattr(self.findings, name) for name in Findings.__dataclass_fields__}

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
        self._stack.callback(mock.stop)
        reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        self.upstream_url = f"http://{reachable}:{mock.port}/v1"
        return f"http://{reachable}:{mock.port}", mock.control_token

    def close(self) -> None:
        self._stack.close()
