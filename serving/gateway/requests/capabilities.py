"""True if a base model's engines support a request (pure)."""

from serving.gateway.catalog import Base
from serving.gateway.errors import InvalidRequest
from serving.gateway.schemas import AnyRequest, ChatRequest


def check(request: AnyRequest, base: Base) -> None:
    """Raises InvalidRequest for the first unsupported field."""
    if not isinstance(request, ChatRequest):
        return
    if request.lets_the_model_choose and not base.calls_tools:
        raise _unsupported(
            "tool_choice",
            f"`{base.name}` does not choose tools by itself; name a tool in `tool_choice`, or use `required`, "
            "or have the platform team set toolParser on the base model",
        )
    unknown = sorted(set(request.chat_template_kwargs or ()) - base.template_kwargs)
    if unknown:
        allowed = ", ".join(sorted(base.template_kwargs)) or "none"
        raise _unsupported(
            f"chat_template_kwargs.{unknown[0]}", f"`{unknown[0]}` is not allowed for `{base.name}`; allowed: {allowed}"
        )
    unread = sorted(request.media - base.media)
    if unread:
        raise _unsupported("messages", f"`{base.name}` reads no {unread[0]}; send text only")


def _unsupported(param: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"{problem}.", code="unsupported_value", param=param)
