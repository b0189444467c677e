"""The pages' languages: texts, numbers, sizes and dates."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

LANGUAGES = ("en", "ko")
FALLBACK = "en"
_FOLDER = Path(__file__).parent / "languages"
_UNITS = ("B", "KB", "MB", "GB", "TB")


def _read(language: str) -> Mapping[str, str]:
    sections = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{section}.{name}": text for section, named in sections.items() for name, text in named.items()}


_TEXTS = {language: _read(language) for language in LANGUAGES}


def texts(language: str) -> Mapping[str, str]:
    """By section and name, as `documents.title`."""
    return _TEXTS[language]


class Language:
    def __init__(self, code: str) -> None:
        self.code = code
        self._texts = texts(code)

    def __call__(self, name: str, /, **values: object) -> str:
        """A text with its values. Raises KeyError for a name without a text."""
        return self._texts[name].format(**values)

    def either(self, name: str, otherwise: str) -> str:
        """For names of other, perhaps newer services."""
        return self._texts.get(name, otherwise)

    @property
    def other(self) -> str:
        return next(each for each in LANGUAGES if each != self.code)

    def number(self, value: float) -> str:
        return f"{value:,}"

    def size(self, count: float) -> str:
        """Bytes in the largest unit, with three digits at most."""
        unit = 0
        while round(count) >= 1000 and unit < len(_UNITS) - 1:
            count, unit = count / 1000, unit + 1
        return f"{count:.3g} {_UNITS[unit]}"

    def day(self, moment: datetime) -> str:
        if self.code == "ko":
            return f"{moment.year}년 {moment.month}월 {moment.day}일"
        return f"{moment.day} {moment:%B} {moment.year}"

    def time(self, moment: datetime) -> str:
        """In UTC; the browser writes it in its own zone."""
        return f"{self.day(moment)} {moment:%H:%M} UTC"


def moment(value: object) -> datetime | None:
    """From seconds since the epoch, or from ISO 8601."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def chosen(preferred: str | None, accept_language: str) -> str:
    """The person's own choice, or the browser's first language that we have."""
    if preferred in LANGUAGES:
        return preferred
    wanted = sorted(map(_weighed, accept_language.split(",")), key=lambda each: each[0], reverse=True)
    return next((code for _, code in wanted if code in LANGUAGES), FALLBACK)


def _weighed(part: str) -> tuple[float, str]:
    """A language and its weight: `ko-KR;q=0.8`."""
    tag, _, quality = part.partition(";")
    try:
        weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
    except ValueError:
        weight = 0.0
    return weight, tag.strip().lower().partition("-")[0]
