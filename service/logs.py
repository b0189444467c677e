"""Logging of all services: to standard error, one line for each message."""

import json
import logging
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict

from service.access import request_id

_TEXT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"


class LogSettings(BaseSettings):
    """QUIVER_LOG_LEVEL and QUIVER_LOG_FORMAT, the same for every service."""

    model_config = SettingsConfigDict(env_prefix="QUIVER_LOG_")

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"

    @property
    def environment(self) -> dict[str, str]:
        """Passes the same settings to child processes."""
        return {"QUIVER_LOG_LEVEL": self.level, "QUIVER_LOG_FORMAT": self.format}


def configure(settings: LogSettings | None = None) -> None:
    """Configures the whole process. Without `settings`, those from the environment apply."""
    chosen = settings or LogSettings()
    logging.basicConfig(level=chosen.level.upper(), handlers=[handler(chosen)])


def handler(settings: LogSettings) -> logging.Handler:
    lines = logging.StreamHandler()
    lines.addFilter(_with_request_id)
    lines.setFormatter(OneLine(_TEXT) if settings.format == "text" else JsonLine())
    return lines


def _with_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    return True


class OneLine(logging.Formatter):
    """Messages contain names of documents and texts from callers. Escaping keeps these from starting a new line or
    moving a terminal's cursor. Tracebacks keep their line breaks."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        return printable(super().formatMessage(record))


class JsonLine(logging.Formatter):
    """One JSON object for each message: time, level, logger, request_id, message, exception."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request_id": request_id.get(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def printable(text: str) -> str:
    """Escapes every unprintable character."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
