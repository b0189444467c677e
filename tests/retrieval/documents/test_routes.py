"""The routes as any HTTP client sees them: forms, headers, methods, errors."""

import asyncio

import aiohttp
import pytest

from retrieval.documents.routes.files import file_name
from retrieval.errors import InvalidRequestError
from tests.retrieval.documents.platform import Documents


@pytest.fixture
async def api(platform: Documents, tenant: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(platform.url, headers={"Authorization": f"Bearer {platform.keys[f'{tenant}-all']}"})


async def answered(
    api: aiohttp.ClientSession, method: str, path: str, **options: object
) -> tuple[int, dict[str, object]]:
    async with api.request(method, path, **options) as answer:  # type: ignore[arg-type]
        return answer.status, await answer.json()


def form(content: bytes = b"A text.", name: str | None = "a.txt", **fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData(quote_fields=False)
    if name is None:
        made.add_field("file", "a text")
    else:
        made.add_field("file", content, filename=name, content_type="text/html")
    for key, value in ({"purpose": "assistants"} | fields).items():
        made.add_field(key, value)
    return made


async def test_an_upload_comes_back_as_an_attachment_that_no_browser_shows(api: aiohttp.ClientSession) -> None:
    async with api:
        _, file = await answered(api, "POST", "/v1/files", data=form(b"<script>alert(1)</script>", "page.html"))
        async with api.get(f"/v1/files/{file['id']}/content") as answer:
            assert await answer.read() == b"<script>alert(1)</script>"
            assert answer.headers["content-disposition"] == "attachment"
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\tmp\\a.txt", "a.txt"),
        ("a\x1b[2Jb.txt", "a[2Jb.txt"),
        ("\u202etxt.exe", "txt.exe"),
        ("e\u0301.txt", "é.txt"),
    ],
)
def test_a_name_is_its_last_part_without_what_does_not_print(name: str, kept: str) -> None:
    assert file_name(name) == kept


@pytest.mark.parametrize("name", ["", "..", "/", "a/..", "\x00", "x" * 256])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        file_name(name)


async def test_a_name_may_be_in_any_script(api: aiohttp.ClientSession) -> None:
    async with api:
        _, file = await answered(api, "POST", "/v1/files", data=form(name="요금제 안내.txt"))
        assert file["filename"] == "요금제 안내.txt"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (form(purpose="anything"), "purpose"),
        (form(expires_after="1"), "beside"),
        (form(name="x" * 256), "255 characters"),
        (form(name=None), "no file"),
    ],
)
async def test_a_form_that_cannot_be_taken_is_refused_in_words(
    api: aiohttp.ClientSession, data: aiohttp.FormData, says: str
) -> None:
    async with api:
        status, answer = await answered(api, "POST", "/v1/files", data=data)
    assert status == 400
    assert says in str(answer["error"])


async def test_what_is_no_form_is_refused(api: aiohttp.ClientSession) -> None:
    async with api:
        for body, kind in ((b"{}", "application/json"), (b"--x\r\nbroken", "multipart/form-data; boundary=x")):
            status, answer = await answered(api, "POST", "/v1/files", data=body, headers={"content-type": kind})
            assert (status, "error" in answer) == (400, True)


async def test_unknown_paths_and_methods_are_answered_as_everywhere(api: aiohttp.ClientSession) -> None:
    async with api:
        assert (await answered(api, "GET", "/v1/files/a/b/c"))[0] == 404
        assert (await answered(api, "GET", "/v1/vector_stores/../../knowledge-bases"))[0] == 404
        assert (await answered(api, "GET", "/v1/files/..%2f..%2fknowledge-bases"))[0] == 404
        async with api.put("/v1/files") as answer:
            assert (answer.status, answer.headers["allow"]) == (405, "GET, POST, OPTIONS")
        async with api.options("/v1/vector_stores/vs_a/files/b") as answer:
            assert (answer.status, answer.headers["allow"]) == (204, "GET, POST, DELETE, OPTIONS")


async def test_a_wrong_body_is_refused_and_the_field_named(api: aiohttp.ClientSession) -> None:
    async with api:
        for body, field in (
            ({"expires_after": {"anchor": "last_active_at", "days": 1}}, "expires_after"),
            ({"chunking_strategy": {"type": "static"}}, "chunking_strategy"),
            ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
            ({"metadata": {"a": "b\x00"}}, "metadata"),
        ):
            status, answer = await answered(api, "POST", "/v1/vector_stores", json=body)
            assert (status, answer["error"]["type"]) == (400, "invalid_request_error")  # type: ignore[index]
            assert field in str(answer["error"])


async def test_a_caller_that_leaves_in_the_middle_of_an_upload_leaves_no_file(
    platform: Documents, api: aiohttp.ClientSession
) -> None:
    async with api:
        host, port = platform.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /v1/files HTTP/1.1\r\nhost: x\r\nauthorization: {api.headers['Authorization']}\r\n"
        kind = "content-type: multipart/form-data; boundary=x\r\ncontent-length: 100000\r\n\r\n"
        part = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of it'
        writer.write((head + kind + part).encode())
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()
        status, answer = await answered(api, "GET", "/v1/files")
        assert (status, answer["data"]) == (200, [])
