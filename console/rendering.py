"""Templates → pages. Every value is escaped."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from console.language import Language, moment

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


class Renderer:
    """Reads all templates when it is made: nothing is read while a page is."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=DictLoader({path.name: path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.html")}),
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


_DIGESTS = {
    path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in STATIC.iterdir() if path.is_file()
}


def static(name: str) -> str:
    """The address of a static file; another content has another address, so browsers may keep it for ever."""
    return f"/static/{name}?v={_DIGESTS[name]}"


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
