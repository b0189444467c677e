"""What is tried of an embedder: the languages that it reads, and the scale of its cosines."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval.embedding import scripts
from retrieval.embedding.pairs import LANGUAGES
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.embedding.trial import RELATED, UNRELATED, Trial, tried
from retrieval.embedding.vectors import Vectors, of_length_one
from retrieval.errors import EmbedderError
from tests.retrieval.embedders import widened

QUESTION = "How long may I return something?"
PASSAGES = ("The refund window is 30 days.", "Support answers within two hours.", "Dogs bark.")


def test_the_model_that_ships_reads_latin_alone_and_is_the_scale(embedder: SentenceEncoder) -> None:
    trial = tried(embedder)
    assert trial.scripts == {"LATIN"}
    assert trial.related == pytest.approx(RELATED, abs=0.01)
    assert trial.unrelated == pytest.approx(UNRELATED, abs=0.01)


def test_the_cosines_of_another_model_are_moved_to_that_scale(
    embedder: SentenceEncoder, model: Path, tmp_path: Path
) -> None:
    other = SentenceEncoder(widened(model, tmp_path / "other"))
    ours, theirs = tried(embedder), tried(other)
    ours_raw, theirs_raw = ((each.embed_queries([QUESTION]) @ each.embed(PASSAGES).T)[0] for each in (embedder, other))
    assert theirs_raw.min() > ours_raw.max()  # the gate would take dogs for an answer
    for raw, other_raw in zip(ours_raw.tolist(), theirs_raw.tolist(), strict=True):
        assert theirs.cosine(other_raw) == pytest.approx(ours.cosine(raw), abs=0.2)


class _Constant:
    """Takes all texts for one."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        return of_length_one(np.ones((len(texts), 8)))

    embed_queries = embed


def test_a_model_that_tells_nothing_apart_is_refused() -> None:
    with pytest.raises(EmbedderError, match=r"does not tell texts apart.*pooling"):
        tried(_Constant())


def test_questions_and_passages_have_no_word_in_common() -> None:
    """Of four letters or more: a model that reads no Korean could compare syllables."""
    for pair in LANGUAGES["English"]:
        words = [{word.casefold().strip("?.,") for word in text.split() if len(word) > 4} for text in pair]
        assert not words[0] & words[1], pair


def test_a_text_is_of_the_scripts_of_its_letters() -> None:
    assert scripts.share("Refund 30!", {"LATIN"}.__contains__) == 1.0
    assert scripts.share("환불 기간은 며칠인가요?", {"LATIN"}.__contains__) == 0.0
    assert scripts.share("환불 refund", {"HANGUL"}.__contains__) == 0.25
    assert scripts.share("返金期間は", {"CJK", "HIRAGANA", "KATAKANA"}.__contains__) == 1.0
    assert scripts.share("30 + 12", {"LATIN"}.__contains__) == 1.0
    assert scripts.share("ﾊﾟｰﾃｨｰ パーティー", {"KATAKANA"}.__contains__) == 1.0


def test_a_model_of_many_languages_reads_those_that_were_not_tried() -> None:
    many = Trial(frozenset({"LATIN", "CYRILLIC", "HANGUL", "THAI"}), is_multilingual=True, related=0.8, unrelated=0.7)
    assert many.legibility("Επιστροφή") == 1.0
    assert many.legibility("返金期間は") == 0.0
    few = Trial(frozenset({"LATIN"}), is_multilingual=False, related=0.8, unrelated=0.7)
    assert few.legibility("Επιστροφή") == 0.0
