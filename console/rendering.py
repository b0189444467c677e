"""Templates → pages. Every value is escaped."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from console.language import Language, moment

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


class Renderer:
    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["time"] = _time
        self._environment.filters["day"] = _day
        self._environment.globals["static"] = static

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        return self._environment.get_template(template).render(values)


@cache
def static(name: str) -> str:
    """The address of a static file; another content has another address, so browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@pass_context
def _day(context: Context, value: object) -> str:
    """A date in words; empty without one."""
    at = moment(value) if value else None
    language: Language = context["t"]
    return language.day(at) if at else ""


@pass_context
def _time(context: Context, value: object) -> Markup | str:
    """A moment as the browser shows it: in its own zone where scripts run, in UTC where not."""
    at: datetime | None = moment(value) if value else None
    if at is None:
        return "-"
    language: Language = context["t"]
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), language.time(at))
