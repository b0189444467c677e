"""An embedder behind an address, by HTTP: a real model, and every way in which a server can be wrong."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from pydantic import SecretStr

from retrieval.embedding.embedder import opened
from retrieval.embedding.recipe import Recipe
from retrieval.embedding.remote import Remote, Server
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.errors import EmbedderError
from tests.retrieval.embedding_server import EmbeddingServer, Rows, running


@pytest.fixture
def served(embedder: SentenceEncoder) -> EmbeddingServer:
    return EmbeddingServer(embedder)


@pytest.fixture
def address(served: EmbeddingServer) -> Iterator[str]:
    with running(served) as url:
        yield url


SERVER = Server("minilm", SecretStr("secret-of-the-server"), 20.0, Recipe(max_tokens=256))


def test_its_vectors_are_those_of_the_model_in_the_order_of_the_texts(address: str, embedder: SentenceEncoder) -> None:
    remote = opened(address, threads=1, server=SERVER)
    texts = [f"The plan number {number} costs {number * 3} euros." for number in range(100)]
    assert remote.dimensions == embedder.dimensions
    assert np.allclose(remote.embed(texts), embedder.embed(texts), atol=1e-5)
    assert remote.embed([]).shape == (0, embedder.dimensions)
    remote.close()


def test_it_reads_what_it_tells_apart(address: str) -> None:
    remote = Remote(address, SERVER)
    assert remote.legibility("What is the refund window?") == 1.0
    assert remote.legibility("환불 기간은 며칠인가요?") == 0.0


def test_prefixes_stand_before_the_texts_and_make_another_embedder(served: EmbeddingServer, address: str) -> None:
    plain = Remote(address, SERVER)
    other = Remote(address, replace(SERVER, recipe=Recipe(query_prefix="query: ", passage_prefix="passage: ")))
    other.embed_queries(["refund"])
    assert served.asked[-1] == {"model": "minilm", "input": ["query: refund"], "encoding_format": "float"}
    other.embed(["refund"])
    assert served.asked[-1]["input"] == ["passage: refund"]
    assert plain.id != other.id
    assert plain.id == Remote(address, SERVER).id
    assert plain.id != Remote(address, replace(SERVER, model="another")).id


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("the refund window", 5, 5),
        ("환불 기간은", 5, 5),
        ("返金期間", 4, 4),
        ("x" * 600, 150, 150),
        ("3f9a0c", 3, 6),
        ("สินค้าที่ซื้อ", 6, 13),
        ("возврат", 2, 2),
        ("30, 40", 3, 3),
    ],
)
def test_a_size_is_estimated_by_letters(address: str, text: str, least: int, most: int) -> None:
    assert least <= Remote(address, SERVER).tokens(text) <= most


def test_a_long_text_is_not_read_whole(address: str) -> None:
    remote = Remote(address, SERVER)
    assert remote.is_read_whole("word " * 254)
    assert not remote.is_read_whole("word " * 260)


def _cut(data: Rows) -> Rows:
    return data[1:]


def _twice(data: Rows) -> Rows:
    return [{**row, "index": 0} for row in data]


def _shorter(data: Rows) -> Rows:
    return [{**row, "embedding": row["embedding"][:-1]} for row in data]


def _zeros(data: Rows) -> Rows:
    return [{**row, "embedding": [0.0] * len(row["embedding"])} for row in data]


def _many(data: Rows) -> Rows:
    return [{"index": 0, "embedding": [1.0]} for _ in range(10_000)]


def _doubled(data: Rows) -> Rows:
    return [*data, *data]


def _words(data: Rows) -> Rows:
    return [{**row, "embedding": ["a", "secret text"]} for row in data]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_cut, "1 vectors for 2 texts"),
        (_twice, "1 vectors for 2 texts"),
        (_shorter, "383 numbers, and had 384"),
        (_zeros, "no direction"),
        (_words, "no list of embeddings"),
        (_many, "no list of embeddings"),
        (_doubled, "gave 2 vectors for 2 texts"),
    ],
)
def test_a_wrong_answer_is_said(
    served: EmbeddingServer, address: str, change: Callable[[Rows], Rows], reason: str
) -> None:
    remote = Remote(address, SERVER)
    served.change = change
    with pytest.raises(EmbedderError, match=reason) as caught:
        remote.embed(["one", "two"])
    assert address in str(caught.value)
    assert "secret" not in str(caught.value)


def _late(data: Rows) -> Rows:
    time.sleep(6)
    return data


def _soon(data: Rows) -> Rows:
    time.sleep(0.3)
    return data


def test_a_refusal_and_a_silence_are_said(served: EmbeddingServer, address: str) -> None:
    remote = Remote(address, replace(SERVER, seconds=5.0))
    served.status = 429
    with pytest.raises(EmbedderError, match="status 429"):
        remote.embed(["one"])
    served.status = 200
    served.change = _late
    with pytest.raises(EmbedderError, match="timed out"):
        remote.embed_queries(["one"])


def test_a_body_that_trickles_in_is_given_up(address: str, served: EmbeddingServer) -> None:
    remote = Remote(address, replace(SERVER, seconds=1.0))
    served.pause_s = 0.2
    begun = time.monotonic()
    with pytest.raises(EmbedderError, match="in time"):
        remote.embed_queries(["one"])
    assert time.monotonic() - begun < 10  # of 80 s


def test_a_slow_server_has_longer_at_the_start(address: str, served: EmbeddingServer) -> None:
    served.change = _soon
    assert Remote(address, replace(SERVER, seconds=0.1)).dimensions == 384


def test_a_token_may_end_in_a_newline_and_is_never_said(address: str) -> None:
    assert Remote(address, replace(SERVER, token=SecretStr("secret-of-the-server\n"))).dimensions == 384
    with pytest.raises(EmbedderError, match="one line") as caught:
        Remote(address, replace(SERVER, token=SecretStr("secret\nof the server")))
    assert "secret" not in str(caught.value)


def test_what_is_beyond_the_limit_is_not_sent(served: EmbeddingServer, address: str) -> None:
    remote = Remote(address, replace(SERVER, recipe=Recipe(max_tokens=16, query_prefix="q ")))
    remote.embed_queries(["word " * 100])
    assert served.asked[-1]["input"] == ["q " + "word " * 13]


def test_a_prefix_that_leaves_no_room_fails_the_start(address: str) -> None:
    with pytest.raises(EmbedderError, match=r"leaves -?[0-9]+ of its 16 tokens"):
        Remote(address, replace(SERVER, recipe=Recipe(max_tokens=16, passage_prefix="one two three four five six ")))


def test_a_wrong_key_fails_the_start(address: str) -> None:
    with pytest.raises(EmbedderError, match=r"status 401.*token"):
        Remote(address, replace(SERVER, token=SecretStr("wrong")))


def test_nobody_there_fails_the_start() -> None:
    with pytest.raises(EmbedderError, match=r"127\.0\.0\.1:1"):
        Remote("http://127.0.0.1:1", SERVER)
