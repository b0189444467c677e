"""POST /v1/chat/completions and /v1/completions."""

from collections.abc import Awaitable, Callable

from serving.gateway.exchange import Exchange
from serving.gateway.forwarding import Forwarder
from serving.gateway.schemas import ChatRequest, CompletionRequest


def chat(forwarder: Forwarder) -> Callable[[Exchange], Awaitable[None]]:
    return lambda exchange: forwarder.serve(exchange, ChatRequest)


def completion(forwarder: Forwarder) -> Callable[[Exchange], Awaitable[None]]:
    return lambda exchange: forwarder.serve(exchange, CompletionRequest)
