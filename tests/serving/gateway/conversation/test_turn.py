"""What is left to the model, and what is searched for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.conversation.turn import (
    LONGEST,
    Turn,
    previous_questions,
    turn,
    without_small_talk,
)


@pytest.mark.parametrize(
    "message",
    ["Hello!", "hi there", "Good morning, how are you?", "Thank you so much!", "ok, thanks", "Bye", "Who are you?",
     "안녕하세요", "감사합니다!", "정말 고마워요", "네 알겠습니다.", "수고하세요~", "너 누구야?", "What\u2019s up?",
     "ok thanks that helps a lot", "heyyy :)", "thx!!", "I'll give it a try", "are you human or machine",
     "this is useless",
     "wrong window, sorry", "yes that's right", "hahaha", "\U0001f44d", "^^",
     "아 그렇군요 감사합니다ㅎㅎ", "ㅇㅋ ㄱㅅ", "ㅋㅋㅋㅋ", "너 로봇이지?", "잘못 보냈어요 죄송",
     "내일 다시 올게요", "아 짜증나"],
)  # fmt: skip
def test_small_talk_is_no_question(message: str) -> None:
    assert turn(message, is_first=True) is turn(message, is_first=False) is Turn.SMALL_TALK


@pytest.mark.parametrize(
    "message",
    ["Why?", "Are you sure?", "Translate your answer into German", "please say that again in simpler words",
     "Shorter!",
     "Where did you get that?", "Thanks. Can you summarize it in two sentences?",
     "ok thanks can you make it shorter", "tl;dr please", "i dont get it", "that's not what I asked",
     "expalin it again",
     "give me an example", "write that as an e-mail to my boss", "summarise our conversation",
     "which page is that on?",
     "근데 좀 더 짧게 해주세요ㅠㅠ", "예를 들어줘", "그게 무슨 말이에요?", "어디에 나와있어?",
     "내 질문은 그게 아니야", "3줄로 요약해줘",
     "왜요?", "확실한가요?", "영어로 번역해 주세요", "좀 더 짧게 말해줘", "출처가 어디예요?"],
)  # fmt: skip
def test_requests_about_an_answer_need_one(message: str) -> None:
    assert turn(message, is_first=False) is Turn.ABOUT_ANSWER
    assert turn(message, is_first=True) is Turn.QUESTION


@pytest.mark.parametrize(
    "message",
    ["How long is the warranty?", "Hello, how much is express delivery?", "Explain the refund policy",
     "parental leave",
     "Translate the manual of the RV-7", "List the fees of the library",
     "Thanks for the delivery of the sofa, it broke",
     "How do you say thank you in German", "Translate good morning into Korean", 'Translate "thank you" into Korean',
     "Translate this: good morning", "What is the capital of France?", "How is overtime paid",
     "when is the good night shift",
     "Are you sure that express takes two days?", "list", "do I get it by mail", "where is it", "until tomorrow?",
     "예산 신청", "영어 수업", "누가 승인해요", "의자 고쳐줘", "어디에 있어요", "감사 일정",
     "프랑스 수도가 어디야", "이거 바꿔주세요",
     "환불은 며칠 안에 되나요?", "안녕하세요, 배송비가 얼마예요?", "연차 규정을 설명해 주세요", "육아 휴직"],
)  # fmt: skip
def test_whatever_names_a_subject_is_searched_for(message: str) -> None:
    assert turn(message, is_first=True) is Turn.QUESTION
    assert turn(message, is_first=False).needs_documents


SUBJECTS = [
    "vacation days",
    "the warranty",
    "a new laptop",
    "express delivery",
    "the gym",
    "bitcoin",
    "the weather in Rome",
]
CHATTY = ["hi, what about {}", "thanks how much is {}", "explain {}", "explain {} again please", "list {}",
          "are you sure about {}",
          "give me an example of {}", "translate {} to German", "summarize {} in two sentences", "why is {} so short",
          "where does it say something about {}", "tell me more about {}", "can you help me with {}",
          "i have a question about {}, can you help?", "write an email about {}",
          "what do you mean by {}"]  # fmt: skip
KOREAN_SUBJECTS = [
    "연차",
    "보증 기간",
    "노트북",
    "배송",
    "헬스장",
    "비트코인",
    "로마 날씨",
    "예산",
    "감사팀",
    "표준 계약",
]
KOREAN_CHATTY = ["안녕하세요 {} 알려주세요", "감사합니다 {}은 얼마예요", "{} 설명해줘", "{} 다시 설명해 주세요",
                 "{} 예를 들어줘", "{} 확실해?",
                 "{} 영어로 번역해줘", "{} 두 줄로 요약해줘", "왜 {}이 짧아요", "{} 출처가 뭐예요",
                 "{} 더 알려줘", "{} 목록", "{} 도와주세요",
                 "{} 어디에 나와있어요?", "{} 표로 정리해줘"]  # fmt: skip


@given(
    st.builds(str.format, st.sampled_from(CHATTY), st.sampled_from(SUBJECTS))
    | st.builds(str.format, st.sampled_from(KOREAN_CHATTY), st.sampled_from(KOREAN_SUBJECTS)),
    st.sampled_from(["", "hi! ", "ok, ", "네 ", "감사합니다. "]),
)
def test_a_subject_in_chatty_words_is_searched_for(message: str, greeting: str) -> None:
    assert turn(greeting + message, is_first=True) is Turn.QUESTION
    assert turn(greeting + message, is_first=False).needs_documents


@pytest.mark.parametrize(
    "message",
    ["And how much is it?", "What about express?", "On Saturdays too?", "Until when?",
     "Thanks! And how long is it kept?",
     "그럼 특급은요?", "얼마예요?", "토요일에도 하나요?"],
)  # fmt: skip
def test_a_follow_up_needs_the_question_before(message: str) -> None:
    assert turn(message, is_first=False) is Turn.FOLLOW_UP
    assert turn(message, is_first=True) is Turn.QUESTION


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Alright, I will bring my own towel then.", Turn.REMARK),
        ("괜찮아요, 그럴 수도 있죠", Turn.REMARK),
        ("I want to know the price", Turn.QUESTION),
        ("I will be late, is that allowed?", Turn.FOLLOW_UP),
    ],
)
def test_a_remark_asks_nothing(message: str, kind: Turn) -> None:
    assert turn(message, is_first=False) is kind
    assert turn(message, is_first=True) is Turn.QUESTION


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
        ("Hi. Who is Dr. No, please? Thanks!", "Who is Dr. No, please?"),
    ],
)
def test_greetings_are_not_searched_for(message: str, searched: str) -> None:
    assert without_small_talk(message) == searched


def test_a_long_conversation_costs_no_more_than_its_end() -> None:
    endless = "thanks. " * 100_000
    assert turn(endless, is_first=False) is Turn.QUESTION
    assert without_small_talk(endless) == endless
    assert previous_questions(["How much is delivery?", *["Thanks!"] * 1000]) == []


@given(st.text(max_size=300))
def test_any_message_has_one_kind_and_keeps_its_words(message: str) -> None:
    kind = turn(message, is_first=False)
    assert kind.needs_documents or len(message) <= LONGEST
    assert all(word in message for word in without_small_talk(message).split())
