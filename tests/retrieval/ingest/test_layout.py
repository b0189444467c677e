"""Nothing of a page is lost or read twice, wherever it stands."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from retrieval.ingest.parse.layout import Line, Paragraph, Run, Table, columns, lines, parts

places = st.floats(min_value=0, max_value=600, allow_nan=False)


@st.composite
def runs(draw: st.DrawFn) -> list[Run]:
    found = []
    for number in range(draw(st.integers(min_value=0, max_value=40))):
        left, base, width = draw(places), draw(places), draw(st.floats(min_value=1, max_value=300))
        size = draw(st.sampled_from([8.0, 10.0, 14.0]))
        found.append(Run(f"w{number}", left, base - size, left + width, base + 1, base, size, draw(st.booleans())))
    return found


def _words(part: Paragraph | Table) -> list[str]:
    if isinstance(part, Table):
        return [word for row in part.rows for cell in row for word in cell.split()]
    return [word for line in part.lines for word in line.text.split()]


@given(runs())
def test_every_run_is_in_one_column(page: list[Run]) -> None:
    found = "".join(run.text.replace(" ", "") for column in columns(page) for run in column)
    assert Counter(found) == Counter("".join(run.text for run in page))


@given(runs())
def test_every_word_is_in_one_part(page: list[Run]) -> None:
    column: list[Line] = lines([run for run in page if run.width > 0])
    read = "".join(word for part in parts(column) for word in _words(part))
    assert Counter(read) == Counter("".join(run.text for run in page))
