"""The chart ships what is made here."""

from pathlib import Path

from monitoring.__main__ import files

FOLDER = Path(__file__).parents[2] / "charts/quiver/monitoring"


def test_the_chart_has_what_is_made_from_here() -> None:
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == files(), "run make monitoring"
