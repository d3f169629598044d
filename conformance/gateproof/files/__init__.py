"""The files that a user writes, gateway.toml and the baseline: read, checked, and refused with a line for each fault."""

from gateproof.files.baseline import UNREVIEWED, Baseline, Known, load_baseline
from gateproof.files.faults import FileError, fault_of_header, fault_of_url
from gateproof.files.gateway import Gateway, Start, load_gateway

__all__ = [
    "UNREVIEWED",
    "Baseline",
    "FileError",
    "Gateway",
    "Known",
    "Start",
    "fault_of_header",
    "fault_of_url",
    "load_baseline",
    "load_gateway",
]
