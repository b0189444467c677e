"""Whatever a file holds, it is either objects or that file's fault."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.objects import AnyObject, parse_object, to_data
from contract.secret import Secret
from operators.local.manifest import FileError, parse

HERE = Path("/objects")
KEY = """
apiVersion: quiver.dev/v1alpha1
kind: APIKey
metadata: {{name: k, namespace: acme}}
spec: {{sha256: {digest}, expiresAt: {expires}}}
"""
TENFOLD = list(zip("abcdefgh", "bcdefghi", strict=True))
BOMB = "a: &a [x]\n" + "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in TENFOLD)
MERGES = "a: &a {x: 1}\n" + "\n".join(f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 10)}]}}" for a, b in TENFOLD)


def _adapter(source: str = "./v1", name: str = "support") -> str:
    return f"""
apiVersion: quiver.dev/v1alpha1
kind: Adapter
metadata: {{name: {name}, namespace: acme}}
spec: {{baseModel: base, source: {source}}}
"""


def _base(arguments: str) -> str:
    return f"""
apiVersion: quiver.dev/v1alpha1
kind: BaseModel
metadata: {{name: base}}
spec: {{source: ./base, engineArgs: {arguments}}}
"""


def _one(text: str) -> AnyObject:
    (found,) = parse(text.encode(), HERE)
    assert not isinstance(found, Secret)
    return found


SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: hub, namespace: acme}
stringData: {HF_TOKEN: hf_something}
"""


def test_a_secret_is_read_beside_the_objects_and_shows_nothing_of_itself() -> None:
    (found,) = parse(SECRET.encode(), HERE)
    assert isinstance(found, Secret)
    assert found.string_data["HF_TOKEN"].get_secret_value() == "hf_something"
    assert "hf_something" not in repr(found)
    with pytest.raises(FileError) as fault:
        parse(SECRET.replace("stringData: {HF_TOKEN", "stringData: {'bad key'").encode(), HERE)
    assert "hf_something" not in str(fault.value)
    for broken in (
        'stringData: {HF_TOKEN: "hf_something',
        "stringData:\n  HF_TOKEN: hf_something: x",
        "x: !hf_something",
    ):
        with pytest.raises(FileError) as fault:
            parse(broken.encode(), HERE)
        assert "hf_something" not in str(fault.value)


@pytest.mark.parametrize(
    "text",
    [
        KEY.format(digest="0" * 64, expires="2026-02-30"),
        KEY.format(digest="0" * 64, expires="2026-02-01T25:00:00Z"),
        "!!int x",
        "!!bool x",
        "!!float x",
        "!!timestamp x",
        "!!binary =",
        "[" * 3000,
        "{a: " * 3000,
        _adapter('"/a\\0b"'),
        _adapter('"/a\\ud800"'),
        _adapter(name='"\\ud800"'),
        _base('["--x\\0"]'),
        _base('["--x\\udc80"]'),
        f"{BOMB}\napiVersion: *i",
        f"{BOMB}\napiVersion: quiver.dev/v1alpha1\nkind: *i",
        MERGES,
        _adapter("/" + "x" * 3000),
        _adapter("[./v1]"),
        "? [a]\n: b",
    ],
)
def test_a_text_that_is_wrong_in_any_way_is_a_fault_of_its_file(text: str) -> None:
    with pytest.raises(FileError) as fault:
        parse(text.encode(), HERE)
    assert str(fault.value)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_objects_or_a_fault(content: bytes) -> None:
    with suppress(FileError):
        parse(content, HERE)


@given(st.text(alphabet=st.characters(codec=None, categories=None)))
def test_an_object_that_is_read_can_be_written(text: str) -> None:
    """What is in force is published as JSON, whatever was written in its file."""
    escaped = "".join(f"\\U{ord(char):08x}" for char in text)
    try:
        (found,) = parse(_base(f'["{escaped}"]').encode(), HERE)
    except FileError:
        return
    assert not isinstance(found, Secret)
    assert parse_object(to_data(found)) == found
    assert found.model_dump_json()


def test_an_alias_is_refused_at_its_line() -> None:
    with pytest.raises(FileError, match=r"line 2: aliases \(\*name\) are not allowed"):
        parse(b"a: &x 1\nb: *x\n", HERE)


def test_a_status_in_a_file_is_not_taken_over() -> None:
    """It is the platform's word: from a file it would say of an adapter which version answers."""
    active = "{digest: %s, engineName: globex.desk.0, baseModel: base, source: x, generation: 1}" % ("0" * 64)
    found = _one(_adapter() + f"status: {{active: {active}}}")
    assert found == _one(_adapter())


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("./v1", "/objects/v1"),
        ("../v1", "/v1"),
        ("file:///v1", "/v1"),
        ("/v1/../v2", "/v2"),
        ("adapters/v1", "adapters/v1"),
    ],
)
def test_a_source_with_a_dot_or_a_slash_in_front_is_a_path_and_any_other_a_name_on_a_hub(
    source: str, path: str
) -> None:
    assert to_data(_one(_adapter(source)))["spec"]["source"] == path


@pytest.mark.parametrize("path", ["documents/globex", "./documents/globex", "file:///objects/documents/globex"])
def test_a_knowledge_bases_source_is_never_a_name_on_a_hub(path: str) -> None:
    found = _one(f"""
apiVersion: quiver.dev/v1alpha1
kind: KnowledgeBase
metadata: {{name: manuals, namespace: globex}}
spec: {{sources: [{{path: "{path}"}}]}}
""")
    assert to_data(found)["spec"]["sources"] == [{"path": "/objects/documents/globex"}]
