import os
import time
from pathlib import Path

import pytest

from contract.snapshot import Snapshot
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


def test_a_problem_is_one_line_that_can_be_published_whatever_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text('apiVersion: quiver.dev/v1alpha1\nkind: Tenant\nmetadata: {name: "\\ud800\\e[2J"}')
    (tmp_path / "b.yaml").write_text("'" + "x" * 100_000)
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text("]")
    contents = read(tmp_path, Contents())
    assert len(contents.problems) == 3
    for found in contents.problems:
        assert (found.file + found.message).isprintable()
        assert len(found.message) <= 500
    assert Snapshot(problems=contents.problems).model_dump_json()


def test_a_file_that_cannot_be_opened_or_is_too_large_keeps_what_it_held(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TENANT)
    good = read(tmp_path, Contents())
    file.write_text("#" * (16 * 1024**2 + 1))
    assert _names(read(tmp_path, good)) == ["Tenant acme"]
    file.unlink()
    file.symlink_to("/proc/self/mem")
    assert _names(read(tmp_path, good)) == ["Tenant acme"]


def test_a_file_that_says_what_it_said_is_the_same_objects(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TENANT + "---" + ADAPTER)
    first = read(tmp_path, Contents())
    again = read(tmp_path, first)
    assert again == first
    assert all(a is b for a, b in zip(again.files["a.yaml"], first.files["a.yaml"], strict=True))


def test_two_thousand_objects_that_did_not_change_are_not_parsed_again(tmp_path: Path) -> None:
    keys = (
        f"kind: APIKey\nmetadata: {{name: k{n}, namespace: acme}}\nspec: {{sha256: '{n:064}'}}" for n in range(2000)
    )
    (tmp_path / "a.yaml").write_text("\n---\n".join(keys))
    begun = time.process_time()
    first = read(tmp_path, Contents())
    read_once = time.process_time()
    assert read(tmp_path, first) == first
    assert time.process_time() - read_once < (read_once - begun) / 4


def test_what_a_file_held_is_unknown_until_it_is_right_once(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("]")
    (tmp_path / "b.yaml").write_text(TENANT)
    first = read(tmp_path, Contents())
    again = read(tmp_path, first)
    assert first.unread == again.unread == {"a.yaml"}
    file.write_text(ADAPTER)
    right = read(tmp_path, again)
    assert right.unread == frozenset()
    file.write_text("]")
    (tmp_path / "c.yaml").write_text("]")
    assert read(tmp_path, right).unread == frozenset()


def test_the_revision_is_of_bytes_and_never_fails(tmp_path: Path) -> None:
    artifact = tmp_path / "v1"
    artifact.mkdir()
    (tmp_path / "a.yaml").write_text(ADAPTER)
    (tmp_path / "b.yaml").write_text(ADAPTER.replace("support", "long").replace("./v1", "./" + "x" * 300))
    before = read(tmp_path, Contents())
    (artifact / os.fsdecode(b"\xff")).touch()
    after = read(tmp_path, before)
    assert [before.revisions[key] != after.revisions[key] for key in before.revisions] == [True, False]


def test_the_revision_follows_a_link_to_where_it_leads_now(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "adapter_config.json").write_text("{}")
        os.utime(tmp_path / name / "adapter_config.json", (1, 1))
    (tmp_path / "a.yaml").write_text(ADAPTER)
    link = tmp_path / "v1"
    link.symlink_to("one")
    before = read(tmp_path, Contents())
    link.unlink()
    link.symlink_to("two")
    after = read(tmp_path, before)
    assert before.objects.adapters[0].spec.source == after.objects.adapters[0].spec.source == str(link)
    assert before.revisions != after.revisions


@pytest.mark.parametrize("link", ["documents/globex/theirs", "documents/globex"])
def test_a_knowledge_bases_source_is_where_it_really_lies(tmp_path: Path, link: str) -> None:
    (tmp_path / "documents" / "acme").mkdir(parents=True)
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "documents" / "acme")
    (tmp_path / "a.yaml").write_text(f"""
apiVersion: quiver.dev/v1alpha1
kind: KnowledgeBase
metadata: {{name: manuals, namespace: globex}}
spec: {{sources: [{{path: ./{link}}}]}}
""")
    (base,) = read(tmp_path, Contents()).objects.knowledge_bases
    assert base.spec.sources[0].path == str(tmp_path / "documents" / "acme")


def test_examples_and_questions_have_their_real_path(tmp_path: Path) -> None:
    """A link that leads to another tenant's file is that file."""
    own, other = (tmp_path / "documents" / name for name in ("acme", "globex"))
    for folder in (own, other):
        folder.mkdir(parents=True)
    (own / "link").symlink_to(other)
    (tmp_path / "a.yaml").write_text("""
apiVersion: quiver.dev/v1alpha1
kind: FineTune
metadata: {name: style, namespace: acme}
spec: {baseModel: base, data: {source: ./documents/acme/link/style.jsonl}}
---
apiVersion: quiver.dev/v1alpha1
kind: Evaluation
metadata: {name: compared, namespace: acme}
spec:
  questions: {source: ./documents/acme/link/questions.jsonl}
  variants: [{name: one, model: a}, {name: two, model: b}]
""")
    contents = read(tmp_path, Contents())
    assert contents.problems == ()
    assert contents.objects.fine_tunes[0].spec.data.source == str(other / "style.jsonl")
    assert contents.objects.evaluations[0].spec.questions.source == str(other / "questions.jsonl")


def test_the_objects_of_one_reading_are_collected_once(tmp_path: Path) -> None:
    """An edit compares each adapter with them: collecting a thousand for each of a thousand takes seconds."""
    contents = read(tmp_path, Contents())
    assert contents.objects is contents.objects
    assert contents.credentials is contents.credentials
