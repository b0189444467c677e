from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.agent.errors import RefusedError
from serving.agent.sources.kind import Source
from serving.agent.sources.kinds.gs import GsSource
from serving.agent.sources.kinds.hub import HubSource
from serving.agent.sources.kinds.local import LocalSource, VolumeSource
from serving.agent.sources.kinds.oci import RegistrySource
from serving.agent.sources.kinds.s3 import S3Source
from serving.agent.sources.kinds.web import WebSource
from serving.agent.sources.schemes import parse
from serving.agent.sources.uri import MAX_SHOWN, shown

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("source", "parsed"),
    [
        ("/data/a", LocalSource(PurePosixPath("/data/a"))),
        ("file:///data/a/", LocalSource(PurePosixPath("/data/a"))),
        ("pvc://claim/sub/dir", VolumeSource("claim", PurePosixPath("sub/dir"))),
        ("pvc://claim", VolumeSource("claim", PurePosixPath())),
        ("https://host/a?b=c#d", WebSource("https://host/a?b=c")),
        ("hf://org/name", HubSource("org/name", "main")),
        ("hf://org/na.me-1@refs/pr/1", HubSource("org/na.me-1", "refs/pr/1")),
        ("s3://bucket/a/b/", S3Source("bucket", "a/b")),
        ("gs://bucket", GsSource("bucket", "")),
        ("oci://host:5000/a/b:v1", RegistrySource("host:5000", "a/b", "v1")),
        (f"oci://host/a@{DIGEST}", RegistrySource("host", "a", DIGEST)),
        (f"oci://host/a:v1@{DIGEST}", RegistrySource("host", "a", DIGEST)),
    ],
)
def test_each_scheme_names_its_place(source: str, parsed: Source) -> None:
    assert parse(source) == parsed


@pytest.mark.parametrize(
    "source",
    [
        "",
        "relative/path",
        "/a/../etc",
        "/a//b",
        "file://host/a",
        "pvc://",
        "pvc://../a",
        "pvc://a..b/x",
        "pvc://claim/../other",
        "https://",
        "https:///a",
        "https://host:99999/",
        "https://[::1/",
        "https://user:secret@host/",
        "https://host/a b",
        "https://host/\u00e9",
        "hf://name",
        "hf://org/name@",
        "hf://org/name@a/../b",
        "hf://org/name/more",
        "s3://",
        "s3://b",
        "s3://../a",
        "s3://bucket/a/../b",
        "gs://bucket/./b",
        "oci://host/name",
        "oci://host/Name:tag",
        "oci://host/../a:tag",
        "oci://user@host/a:tag",
        "oci://host/a@sha256:abc",
        "/a\nb",
        "/a\x00b",
        "s3://bucket/\u202eevil",
        "/" + "a" * 3000,
    ],
)
def test_what_names_no_place_is_refused(source: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(source)
    assert caught.value.reason == "SourceInvalid"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("source", ["ftp://host/a", "S3://bucket/a", "javascript://x", "://a"])
def test_other_schemes_are_not_supported(source: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(source)
    assert caught.value.reason == "SourceUnsupported"


SCHEMES = st.sampled_from(["", "/", "file://", "pvc://", "https://", "hf://", "s3://", "gs://", "oci://", "x://"])
TEXT = st.text(st.sampled_from("ab.%/@:?#[]\\ \n\x00é-_A1") | st.characters(), max_size=60)


def _parsed_or_message(source: str) -> Source | str:
    try:
        return parse(source)
    except RefusedError as error:
        return error.message


@given(SCHEMES, TEXT)
def test_any_text_is_parsed_or_refused_with_a_printable_message(scheme: str, rest: str) -> None:
    parsed = _parsed_or_message(scheme + rest)
    if isinstance(parsed, str):
        assert parsed.isprintable()
        assert parsed.isascii() or "…" in parsed
        return
    path = getattr(parsed, "path", PurePosixPath())
    assert ".." not in path.parts
    assert path.is_absolute() == isinstance(parsed, LocalSource)


@given(st.text(max_size=3000))
def test_a_source_is_shown_in_few_plain_characters(source: str) -> None:
    assert shown(source).isascii()
    assert shown(source).isprintable()
    assert len(shown(source)) <= MAX_SHOWN


def test_a_source_is_shown_without_its_user_and_its_query() -> None:
    assert shown("https://ann:secret@host/a?sig=secret") == "https://host/a"
    assert shown("hf://org/name@main") == "hf://org/name@main"
