from pathlib import Path

from operators.local.directory import Contents, read

TENANT = """
apiVersion: quiver.dev/v1alpha1
kind: Tenant
metadata: {name: acme}
spec: {namespace: acme}
"""
ADAPTER = """
apiVersion: quiver.dev/v1alpha1
kind: Adapter
metadata: {name: support, namespace: acme}
spec: {baseModel: base, source: ./v1}
"""


def _names(contents: Contents) -> list[str]:
    return [str(item.key) for item in contents.objects.all]


def test_several_objects_in_a_file_are_all_read_and_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TENANT + "---" + ADAPTER)
    (tmp_path / "notes.txt").write_text("not an object")
    (tmp_path / ".hidden.yaml").write_text("nor this")
    contents = read(tmp_path, Contents())
    assert _names(contents) == ["Tenant acme", "Adapter acme/support"]
    assert contents.problems == ()


def test_a_relative_source_is_relative_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ADAPTER)
    assert read(tmp_path, Contents()).objects.adapters[0].spec.source == str(tmp_path / "v1")


def test_a_broken_edit_keeps_what_the_file_last_held_and_names_the_fact(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TENANT)
    good = read(tmp_path, Contents())
    for text in ("", "kind: [", TENANT + "extra: 1", "just text", TENANT.replace("acme", "A B"), "\x00"):
        file.write_text(text)
        broken = read(tmp_path, good)
        assert _names(broken) == ["Tenant acme"], text
        assert [problem.file for problem in broken.problems] == ["a.yaml"], text


def test_a_file_that_cannot_be_decoded_is_a_problem_of_that_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00kind")
    (tmp_path / "b.yaml").write_text(TENANT)
    contents = read(tmp_path, Contents())
    assert _names(contents) == ["Tenant acme"]
    assert [problem.file for problem in contents.problems] == ["a.yaml"]


def test_a_removed_file_takes_its_objects_along(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TENANT)
    before = read(tmp_path, Contents())
    file.unlink()
    assert _names(read(tmp_path, before)) == []


def test_of_two_objects_with_one_name_the_first_files_counts(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TENANT)
    (tmp_path / "b.yaml").write_text(TENANT)
    contents = read(tmp_path, Contents())
    assert _names(contents) == ["Tenant acme"]
    assert contents.problems[0].message == "Tenant acme is in a.yaml already; remove one"


def test_the_generation_grows_with_the_spec_only(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(ADAPTER)
    first = read(tmp_path, Contents())
    file.write_text("# a comment\n" + ADAPTER)
    same = read(tmp_path, first)
    file.write_text(ADAPTER.replace("v1}", "v2}"))
    changed = read(tmp_path, same)
    assert [c.objects.adapters[0].metadata.generation for c in (first, same, changed)] == [1, 1, 2]


def test_the_revision_follows_the_artifacts_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ADAPTER)
    artifact = tmp_path / "v1"
    revisions: list[str] = []
    for step in ("missing", "empty", "one", "two"):
        if step == "empty":
            artifact.mkdir()
        if step in ("one", "two"):
            (artifact / "adapter_config.json").write_text(step * 2)
        revisions.append(*read(tmp_path, Contents()).revisions.values())
    assert len(set(revisions)) == 4
    assert [*read(tmp_path, Contents()).revisions.values()] == revisions[-1:]
