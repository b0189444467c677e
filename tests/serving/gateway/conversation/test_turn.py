"""What is left to the model, and what is searched for."""

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.conversation.turn import (
    LONGEST_READ,
    Turn,
    previous_questions,
    turn,
    without_small_talk,
)

BEFORE = ["How long is the warranty?", "The warranty is two years."]


@pytest.mark.parametrize(
    "message",
    ["Hello!", "hi there", "Good morning, how are you?", "Thank you so much!", "ok, thanks", "Bye", "Who are you?",
     "안녕하세요", "감사합니다!", "정말 고마워요", "네 알겠습니다.", "수고하세요~",
     "ok thanks that helps a lot", "heyyy :)", "thx!!", "I'll give it a try", "are you human or machine",
     "this is useless",
     "wrong window, sorry", "yes that's right", "hahaha", "\U0001f44d", "^^",
     "아 그렇군요 감사합니다ㅎㅎ", "ㅇㅋ ㄱㅅ", "ㅋㅋㅋㅋ", "너 로봇이지?", "잘못 보냈어요 죄송",
     "내일 다시 올게요", "아 짜증나"],
)  # fmt: skip
def test_small_talk_is_no_question(message: str) -> None:
    assert turn(message, []) is turn(message, BEFORE) is Turn.SMALL_TALK


@pytest.mark.parametrize(
    "message",
    ["Why?", "Are you sure?", "Translate your answer into German", "please say that again in simpler words",
     "Where did you get that?", "Thanks. Can you summarize it in two sentences?",
     "ok thanks can you make it shorter", "tl;dr please", "i dont get it", "that's not what I asked",
     "expalin it again",
     "give me an example", "summarise our conversation",
     "which page is that on?",
     "근데 좀 더 짧게 해주세요ㅠㅠ", "예를 들어줘", "그게 무슨 말이에요?", "어디에 나와있어?",
     "내 질문은 그게 아니야", "3줄로 요약해줘",
     "왜요?", "확실한가요?", "영어로 번역해 주세요", "좀 더 짧게 말해줘", "출처가 어디예요?"],
)  # fmt: skip
def test_requests_about_an_answer_need_one(message: str) -> None:
    assert turn(message, BEFORE) is Turn.ABOUT_ANSWER
    assert turn(message, []) is Turn.QUESTION


@pytest.mark.parametrize(
    "message",
    ["How long is the warranty?", "Hello, how much is express delivery?", "Explain the refund policy",
     "parental leave",
     "Translate the manual of the RV-7", "List the fees of the library",
     "What is the capital of France?", "How is overtime paid",
     "when is the good night shift",
     "Are you sure that express takes two days?", "do I get it by mail", "where is it",
     "예산 신청", "영어 수업", "누가 승인해요", "의자 고쳐줘", "어디에 있어요", "감사 일정",
     "프랑스 수도가 어디야",
     "환불은 며칠 안에 되나요?", "안녕하세요, 배송비가 얼마예요?", "육아 휴직"],
)  # fmt: skip
def test_whatever_names_a_subject_is_searched_for(message: str) -> None:
    assert turn(message, []) is Turn.QUESTION
    assert turn(message, BEFORE).needs_documents


@pytest.mark.parametrize("language", ["en", "ko"])
def test_messages_of_strangers_are_told_apart(language: str) -> None:
    """They are by another author than the examples. Each is said after an answer."""
    lines = (Path(__file__).parent / f"messages.{language}.tsv").read_text().splitlines()
    labelled = [line.split("\t") for line in lines]
    right = {True: 0, False: 0}
    for kind, message in labelled:
        needs_documents = Turn(kind).needs_documents
        right[needs_documents] += turn(message, BEFORE).needs_documents is needs_documents
    asking = sum(Turn(kind).needs_documents for kind, _message in labelled)
    assert right[True] >= 0.94 * asking
    assert right[False] >= 0.88 * (len(labelled) - asking)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Explain that once more please", Turn.ABOUT_ANSWER),
        ("Explain the warranty once more please", Turn.ABOUT_ANSWER),
        ("What do you mean by the deductible?", Turn.QUESTION),
        ("Are you sure about the bitcoin?", Turn.QUESTION),
    ],
)
def test_a_request_with_a_subject_that_nobody_mentioned_is_a_question(message: str, kind: Turn) -> None:
    assert turn(message, BEFORE) is kind


@pytest.mark.parametrize(
    "message",
    ["And how much is it?", "What about express?", "On Saturdays too?", "Until when?",
     "Thanks! And how long is it kept?",
     "그럼 특급은요?", "얼마예요?"],
)  # fmt: skip
def test_a_follow_up_needs_the_question_before(message: str) -> None:
    assert turn(message, BEFORE) is Turn.FOLLOW_UP
    assert turn(message, []) is Turn.QUESTION


@pytest.mark.parametrize("message", ["Alright, I will try that then.", "아 그렇군요 몰랐네요"])
def test_a_remark_asks_nothing(message: str) -> None:
    assert turn(message, BEFORE) is Turn.SMALL_TALK


def test_a_follow_up_means_the_questions_up_to_the_last_that_stands_alone() -> None:
    asked = ["How long is the warranty?", "How much is standard delivery?", "And express?", "Thanks!"]
    assert previous_questions(asked) == ["How much is standard delivery?", "And express?"]
    assert previous_questions(["Hello!", "Hi, how much is delivery?"]) == ["how much is delivery?"]
    assert previous_questions(["How much is delivery?", "I will try that then."]) == ["How much is delivery?"]
    assert previous_questions(["Hello!"]) == []


@pytest.mark.parametrize(
    ("message", "searched"),
    [
        ("Hello, how much is delivery?", "how much is delivery?"),
        ("감사합니다. 환불은요?", "환불은요?"),
        ("Thanks!", "Thanks!"),
        ("", ""),
        ("version 2.1 costs 3,50", "version 2.1 costs 3,50"),
        ("Does the policy cover the U.K.?", "Does the policy cover the U.K.?"),
        ("Hi. Who is Dr. Brown, please? Thanks!", "Who is Dr. Brown, please?"),
    ],
)
def test_greetings_are_not_searched_for(message: str, searched: str) -> None:
    assert without_small_talk(message) == searched


def test_the_examples_have_the_four_kinds_and_none_of_the_messages_of_this_test() -> None:
    for language in ("en", "ko"):
        examples, messages = (
            [line.split("\t") for line in text.read_text("utf-8").splitlines()]
            for text in (
                files("serving.gateway.conversation").joinpath(f"examples.{language}.tsv"),
                Path(__file__).parent / f"messages.{language}.tsv",
            )
        )
        assert {kind for kind, _message in examples} == set(Turn)
        assert not {message.casefold() for _, message in examples} & {message.casefold() for _, message in messages}


def test_a_long_conversation_costs_no_more_than_its_end() -> None:
    assert turn("Explain the warranty again", ["The warranty is long.", *["x" * 3000] * 10]) is Turn.QUESTION
    endless = "thanks. " * 100_000
    assert turn(endless, BEFORE) is Turn.QUESTION
    assert without_small_talk(endless) == endless
    assert previous_questions(["How much is delivery?", *["Thanks!"] * 1000]) == []


@given(st.text(max_size=300))
def test_any_message_has_one_kind_and_keeps_its_words(message: str) -> None:
    kind = turn(message, BEFORE)
    assert kind.needs_documents or len(message) <= LONGEST_READ
    assert all(word in message for word in without_small_talk(message).split())
