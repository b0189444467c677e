"""The headings above a paragraph."""

from retrieval.ingest.parse.clean import clean

SEPARATOR = " > "
_LONGEST = 120  # characters of one heading that are kept


class Headings:
    """The path of headings while a document is read from its top."""

    def __init__(self) -> None:
        self._path: list[tuple[int, str]] = []

    def enter(self, level: int, text: str) -> None:
        """A heading of `level` closes all of the same level or deeper; what is kept of it is what a reader sees."""
        self._path = [held for held in self._path if held[0] < level]
        if shown := clean(text).replace("\n", " "):
            self._path.append((level, shown[:_LONGEST]))

    @property
    def path(self) -> str:
        return SEPARATOR.join(text for _, text in self._path)
