"""`quiver documents`, as a tenant's people use it."""

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from operators.cli import main
from tests.retrieval.documents.platform import Documents
from tests.retrieval.web.server import serving


async def run(platform: Documents, key: str, *arguments: str) -> Result:
    environment = {"QUIVER_URL": platform.url, "QUIVER_API_KEY": platform.keys[key]}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, main, ["documents", *arguments])


async def test_a_document_is_added_replaced_found_and_removed(platform: Documents, tenant: str, tmp_path: Path) -> None:
    key = f"{tenant}-all"
    store = (await run(platform, key, "create", "Help")).output.strip()
    file = tmp_path / "prices.md"
    file.write_text("The Velmora Basic plan costs 30 euros a month.")
    added = await run(platform, key, "add", store, str(file), "--attribute", "year=2025")
    assert (added.exit_code, added.output.splitlines()[-1]) == (0, "1 of 1: prices.md: ready, 1 passages")
    file.write_text("The Velmora Basic plan costs 31 euros a month.")
    assert "replaces file-" in (await run(platform, key, "add", store, str(file))).output
    found = await run(platform, key, "search", store, "What does the Basic plan cost?")
    assert ["31 euros" in line for line in found.output.splitlines()] == [True]
    for phrase, hits in (("costs 31 euros", 1), ("euros costs 31", 0)):
        exact = await run(platform, key, "search", store, phrase, "--match", "phrase")
        assert (exact.exit_code, len(exact.output.splitlines())) == (0, hits)
    listed = (await run(platform, key, "list", store)).output.splitlines()
    assert len(listed) == 2
    assert (await run(platform, key, "stores")).output.split()[-3:] == ["1", "0", "0"]
    removed = await run(platform, key, "remove", listed[1].split()[0])
    assert removed.output.endswith("is deleted\n")
    assert [line.split()[-1] for line in (await run(platform, key, "deletions")).output.splitlines()[1:]] == [
        "yes",
        "yes",
    ]
    assert (await run(platform, key, "search", store, "What does the Basic plan cost?")).output == ""


async def test_what_fails_is_said_with_its_reason(platform: Documents, tenant: str, tmp_path: Path) -> None:
    key = f"{tenant}-all"
    store = (await run(platform, key, "create", "Help")).output.strip()
    good, bad = tmp_path / "good.txt", tmp_path / "bad.bin"
    good.write_text("A text.")
    bad.write_bytes(b"\0")
    failed = await run(platform, key, "add", store, str(bad), str(good))
    assert failed.exit_code == 1
    assert "1 of 2: bad.bin: bad.bin: files named *.bin are not read" in failed.output
    assert "2 of 2: good.txt: ready" in failed.output
    assert "1 of 2 files cannot be searched" in failed.output
    unknown = await run(platform, key, "list", "vs_nobodys")
    assert unknown.output == "Error: No vector store found with id 'vs_nobodys'.\n"
    may_not = await run(platform, f"{tenant}-ask", "stores")
    assert "needs the scope documents" in may_not.output


async def test_a_replaced_file_stays_in_other_stores(platform: Documents, tenant: str, tmp_path: Path) -> None:
    key = f"{tenant}-all"
    one, two = [(await run(platform, key, "create", name)).output.strip() for name in ("One", "Two")]
    file = tmp_path / "prices.md"
    file.write_text("The Velmora Basic plan costs 30 euros a month.")
    for store in (one, two):
        assert (await run(platform, key, "add", store, str(file))).exit_code == 0
    file.write_text("The Velmora Basic plan costs 31 euros a month.")
    assert (await run(platform, key, "add", one, str(file))).exit_code == 0
    assert "31 euros" in (await run(platform, key, "search", one, "What does the Basic plan cost?")).output
    assert "30 euros" in (await run(platform, key, "search", two, "What does the Basic plan cost?")).output


async def test_two_files_of_one_name_replace_an_earlier_one_once(
    platform: Documents, tenant: str, tmp_path: Path
) -> None:
    key = f"{tenant}-all"
    store = (await run(platform, key, "create", "Help")).output.strip()
    paths = [tmp_path / name / "a.txt" for name in ("x", "y")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(f"A text of {path.parent.name}.")
    assert (await run(platform, key, "add", store, *map(str, paths))).exit_code == 0
    added = await run(platform, key, "add", store, *map(str, paths))
    assert (added.exit_code, added.exception) == (0, None)


async def test_a_site_is_followed_and_left(platform: Documents, tenant: str) -> None:
    key = f"{tenant}-all"
    store = (await run(platform, key, "create", "Help")).output.strip()
    async with serving() as site:
        site.put("/", "<p>The office opens at nine.</p>")
        added = await run(platform, key, "web", "add", store, site.url)
        assert added.output.splitlines()[-1].endswith(": 1 pages.")
        source = added.output.splitlines()[-1].partition(":")[0]
        assert source in (await run(platform, key, "web", "list", store)).output
        assert (await run(platform, key, "web", "remove", store, source)).exit_code == 0
    assert len((await run(platform, key, "list", store)).output.splitlines()) == 1
