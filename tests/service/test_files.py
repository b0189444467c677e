from pathlib import Path

from service.files import replace


def test_files_that_differ_in_their_suffix_do_not_disturb_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.json.tmp").mkdir()  # the write to a.json would fail
    replace(tmp_path / "a.yaml", "new")
    assert (tmp_path / "a.yaml").read_text() == "new"
    assert [path.name for path in tmp_path.glob("a.*")].count("a.yaml.tmp") == 0
