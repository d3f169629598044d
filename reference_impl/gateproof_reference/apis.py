"""The APIs that this gateway speaks, by name. A new one is one line here."""

from gateproof_reference.api import Api
from gateproof_reference.chat import ChatApi
from gateproof_reference.messages import MessagesApi
from gateproof_reference.responses import ResponsesApi

APIS: dict[str, Api] = {api.name: api for api in (ResponsesApi(), ChatApi(), MessagesApi())}
"""In the order in which they are offered on the command line."""
