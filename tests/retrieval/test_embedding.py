"""The embedder: what it reads, and that its vectors do not depend on the company they are made in."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from operators.settings import Settings
from retrieval.embedding.export import recipe_of, tokenizer_json
from retrieval.embedding.legibility import legibility
from retrieval.embedding.query_cache import QueryCache
from retrieval.embedding.recipe import Pooling, Recipe
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.errors import EmbedderError
from tests.retrieval.embedders import DIMENSIONS, with_recipe


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(embedder: SentenceEncoder) -> None:
    texts = ["short", "a much longer sentence about refunds and returns", "환불", ""]
    together = embedder.embed(texts)
    assert together.shape == (4, DIMENSIONS)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, together, strict=True):
        assert np.allclose(embedder.embed([text])[0], vector, atol=1e-5)


def test_a_text_beyond_the_limit_is_cut_not_refused(embedder: SentenceEncoder) -> None:
    long = "word " * 5_000
    assert np.allclose(embedder.embed([long]), embedder.embed([long + "tail"]), atol=1e-5)


def test_no_text_makes_no_vectors(embedder: SentenceEncoder) -> None:
    assert embedder.embed([]).shape == (0, DIMENSIONS)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("What is the refund window of the Velmora Basic plan?", 0.9, 1.0),
        ("Rückgabefrist für beschädigte Geräte", 0.6, 1.0),
        ("환불 기간은 며칠인가요?", 0.0, 0.1),
        ("返金期間は何日ですか", 0.0, 0.1),
        ("Каков срок возврата?", 0.0, 0.3),
        ("30 + 12 = 42", 1.0, 1.0),
        ("", 1.0, 1.0),
    ],
)
def test_legibility_is_the_share_that_the_vocabulary_reads(
    embedder: SentenceEncoder, text: str, least: float, most: float
) -> None:
    assert least <= embedder.legibility(text) <= most


@pytest.mark.parametrize(
    ("text", "size"),
    [("the price window", 3), ("환불", 2), ("", 0), ("x" * 1_600, 100), ("e" + "\u0301" * 1_600, 100)],
)
def test_a_size_counts_pieces_and_nothing_is_free(embedder: SentenceEncoder, text: str, size: int) -> None:
    assert embedder.tokens(text) == size


@pytest.mark.parametrize("unknown", ["[UNK]", "<unk>"])
def test_unknown_pieces_count_as_unread(unknown: str) -> None:
    assert legibility([unknown, "plan"], [(0, 4), (5, 9)], "abcd plan") == 0.5


def test_the_cache_keeps_tenants_apart_and_forgets_the_oldest(embedder: SentenceEncoder) -> None:
    cache = QueryCache(embedder, size=2)
    first = cache.embed("a", "question")
    assert cache.embed("a", "question") is first
    assert cache.embed("b", "question") is not first
    cache.embed("b", "another")
    assert cache.embed("a", "question") is not first


def test_the_cache_forgets_tenants_that_are_not_kept(embedder: SentenceEncoder) -> None:
    cache = QueryCache(embedder, size=8)
    ours, theirs = cache.embed("a", "question"), cache.embed("b", "question")
    cache.keep(frozenset({"a"}))
    assert cache.embed("a", "question") is ours
    assert cache.embed("b", "question") is not theirs


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match=str(tmp_path)):
        SentenceEncoder(tmp_path)


def test_the_exported_tokenizer_neither_cuts_nor_pads(tmp_path: Path) -> None:
    stored = {"version": "1.0", "truncation": {"max_length": 128}, "padding": {"strategy": {"Fixed": 128}}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(stored), encoding="utf-8")
    assert json.loads(tokenizer_json(tmp_path)) == {"version": "1.0", "truncation": None, "padding": None}


def test_the_export_skips_what_is_there_without_torch(model: Path) -> None:
    command = [sys.executable, "-m", "retrieval.embedding.export", str(model)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "already holds" in done.stderr


def test_a_recipe_decides_how_vectors_are_made_and_makes_another_embedder(
    model: Path, embedder: SentenceEncoder, tmp_path: Path
) -> None:
    other = with_recipe(
        model, tmp_path / "cls", pooling="cls", max_tokens=16, query_prefix="query: ", passage_prefix="p: "
    )
    assert other.id != embedder.id
    assert SentenceEncoder(model).id == embedder.id
    assert other.max_tokens == 16
    assert not np.allclose(other.embed(["refund"])[0], other.embed_queries(["refund"])[0], atol=1e-3)
    assert not np.allclose(other.embed(["refund"]), embedder.embed(["p: refund"]), atol=1e-3)
    mean = with_recipe(model, tmp_path / "mean", query_prefix="query: ")
    assert np.allclose(mean.embed_queries(["refund"])[0], embedder.embed(["query: refund"])[0], atol=1e-6)


def test_a_wrong_recipe_is_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match=r"embedder\.json"):
        with_recipe(model, tmp_path / "max", pooling="max")


@pytest.mark.parametrize("mode", ["max_tokens", "lasttoken", "weightedmean_tokens"])
def test_a_model_that_is_used_otherwise_is_not_exported(tmp_path: Path, mode: str) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{mode}": True}))
    with pytest.raises(SystemExit, match=mode):
        recipe_of(tmp_path)


def test_default_uses_written_down_make_no_other_embedder(
    model: Path, embedder: SentenceEncoder, tmp_path: Path
) -> None:
    assert with_recipe(model, tmp_path / "same").id == embedder.id


def test_a_recipe_is_read_from_the_files_of_sentence_transformers(tmp_path: Path) -> None:
    assert recipe_of(tmp_path) == Recipe()
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 512}')
    (tmp_path / "config_sentence_transformers.json").write_text('{"prompts": {"query": "query: ", "document": "d: "}}')
    assert recipe_of(tmp_path) == Recipe(
        pooling=Pooling.CLS, max_tokens=512, query_prefix="query: ", passage_prefix="d: "
    )


# Random weights over the embedder's vocabulary, without `token_type_ids`, as sentence-transformers stores a model.
MAKE_MODEL = """
import json, pathlib, shutil, sys, torch
from transformers import DistilBertConfig, DistilBertModel
from retrieval.embedding.export import weights_directory
torch.manual_seed(0)
folder = pathlib.Path(sys.argv[1])
DistilBertModel(DistilBertConfig(dim=int(sys.argv[2]), n_layers=1, n_heads=2, hidden_dim=32)).save_pretrained(folder)
shutil.copy(weights_directory() / "tokenizer.json", folder)
(folder / "1_Pooling").mkdir()
(folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
(folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64}))
"""


def _exported(folder: Path, dimensions: int) -> Path:
    """By the script, in the engine's environment."""
    python = Settings().engine_python
    if not python.is_file():
        pytest.skip("the engine's environment is not there: make setup")
    made, out = folder / "made", folder / "exported"
    subprocess.run([str(python), "-c", MAKE_MODEL, str(made), str(dimensions)], check=True, capture_output=True)
    command = [str(python), "-m", "retrieval.embedding.export", str(out), "--model", str(made)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def test_a_model_of_sentence_transformers_is_exported_with_its_recipe(tmp_path: Path) -> None:
    exported = _exported(tmp_path, DIMENSIONS)
    assert b"site-packages" not in (exported / "model.onnx").read_bytes()  # its digest depends on no path
    embedder = SentenceEncoder(exported)
    assert embedder.max_tokens == 64
    together = embedder.embed(["refund window", "a longer text about refunds"])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(embedder.embed(["refund window"])[0], together[0], atol=1e-5)


def test_a_model_may_have_vectors_of_another_size(tmp_path: Path) -> None:
    embedder = SentenceEncoder(_exported(tmp_path, 128))
    assert embedder.dimensions == 128
    assert embedder.embed(["refund"]).shape == (1, 128)
