"""English conversations. A clause is in lower case, without punctuation and apostrophes."""

import re

from serving.gateway.conversation.phrases import Phrases, listed

_LANGUAGES = listed("""
english, german, french, spanish, korean, japanese, chinese, italian, portuguese, dutch, polish, turkish, russian
arabic
""")

_SMALL_TALK = Phrases(
    separator=" ",
    keys=listed("""
hi, hello, hey, hiya, howdy, yo, greetings, good morning, good afternoon, good evening, good night, good day, morning
how are you, how r u, how are things, hows it going, how is it going, hows your day, how do you do, whats up, sup
nice to meet you, pleased to meet you, good to see you, long time no see, anyone there, anybody there, thanks
thank you, thank u, thankyou, thx, ty, tysm, cheers, many thanks, much appreciated, appreciate it, appreciated
i appreciate it, i appreciate that, i appreciate your help, that helps, this helps, that helped, this helped
that was helpful, thats helpful, very helpful, so helpful, thats great, thats perfect, thats good, thats nice
thats awesome, thats useful, thats clear, thats enough, thats fine, thats good to know, that is great, that is perfect
that is helpful, that is good to know, that was quick, that was fast, that was easy, thats all i needed
youre the best, you are the best, you rock, youre great, youre awesome, youre very helpful, you are very helpful
youre a lifesaver, lifesaver, ok, okay, k, kk, great, perfect, cool, fine, got it, gotcha, i see, understood
i understand, alright, all right, sure, awesome, excellent, wonderful, amazing, brilliant, lovely, fantastic, super
yes, no, nah, yeah, yep, yup, nope, sounds good, makes sense, that makes sense, fair enough, never mind, nevermind
no problem, no worries, well done, good job, great job, nice job, nice work, good work, nice one, not bad
good to know, lol, haha, hahaha, wow, sorry, my bad, oh, hm, hmm, hmmm, ah, nice, good, sweet, noted, right, exactly
thatll be all, nothing else, thats it, no more questions, im done, i am done, ill try that, i will try that
ill do that, ill check, thats all, that is all, goodbye, good bye, bye, bye bye, ciao, see you, see ya, see u, cya
so long, farewell, take care, talk to you, later, talk soon, have a nice, have a good, have a great, have a lovely
have a wonderful, you too, same to you, likewise, ttyl, who are you, what are you, who r u, who am i talking to
am i talking to, whats your name, what is your name, do you have a name, what can you do, what can i ask you
how can you help, can you help, could you help, are you a bot, are you a robot, are you human, are you a human
are you a person, are you a real person, are you an ai, are you ai, are you real, are you there, are you a machine
are you chatgpt, are you a chatbot, i need help, i need your help, i need some help, help, help me, i have a question
i have another question, i have some questions, one more question, can i ask you something, can i ask a question
may i ask a question, quick question, tell me a joke, tell me about yourself, introduce yourself, how old are you
who made you, who built you, who created you, do you speak, do you understand, i like you, i love you, youre funny
you are funny, youre smart, welcome back
"""),
    fillers=listed("""
so, very, much, so much, very much, a lot, a million, a bunch, again, anyway, then, now, too, all, everyone, there
you, mate, buddy, bot, assistant, friend, man, team, folks, guys, and, but, or, well, for, the, your, that, this
quick, fast, kind, help, answer, answers, reply, support, time, info, information, explanation, helping, patience, it
me, today, doing, going, already, in advance, to, later, soon, tomorrow, around, for now, next time, day, evening
weekend, night, one, week, rest of, of, ahead, with, something, out, please, really, everything, a, another, just, i
real, person, human, robot, exactly, my, dear, sir, madam, it is, is, as always, always, clear, quickly, still, also
any, on
""") | _LANGUAGES,
)  # fmt: skip

_ABOUT_ANSWER = Phrases(
    separator=" ",
    keys=_SMALL_TALK.keys | listed("""
why, how so, how come, how sure are you, how certain are you, how do you know, how did you know, how did you get
how did you find, are you sure, are you certain, are you serious, you sure, really, seriously, for real, is that right
is that true, is that correct, is that so, is that all, is that everything, is that up to date, is that current
is that still, is this right, is this true, is this correct, is it true, is it right, is that accurate, is your answer
was that, is that the whole, is that official, dont understand, do not understand, didnt understand, dont get
didnt get, dont believe, dont follow, thats wrong, thats not right, thats not true, thats not correct, that is wrong
that is not right, that cant be right, that cant be, that sounds wrong, youre wrong, you are wrong, that was wrong
i doubt, too long, too short, too complicated, not clear, unclear, confusing, confused, what do you mean
what did you mean, what does that mean, what does this mean, what does it mean, meaning, in other words
where did you get, where do you get, where did you find, where did you read, where do you have, where does that come
where does this come, where does it say, where is that from, where is this from, where is that written
where is that stated, where is it written, says who, who says, what makes you, whats your source, what is your source
your source, your sources, source, sources, citation, reference, proof, which document, which source, which passage
which page, which file, what document, which paragraph, which section, quote, can you prove, prove, double check
verify, what did you say, what did i ask, what did i say, what was my question, what was your, say again, come again
pardon, what, huh, go on, carry on, continue, more, more details, elaborate, expand, translate, translated
translation, summarize, summarise, summary, tldr, shorten, shorter, rephrase, reword, repeat, rewrite, simplify
simpler, explain, explained, explanation, clarify, say it, say that, put it, put that, write it, write that
write this, format, reformat, paraphrase, spell, read it, turn it, turn that, turn this, convert, make it, make that
make this, show it, break it, break that, answer, longer, briefer, again, once more, one more time, in english
in german, in french, in spanish, in korean, in japanese, in chinese, in italian, in short, in brief, in detail
in plain, in simple, in one, in two, in three, in a, in bullet, in your own, as a, as bullet, eli5, list it, list that
list them, give me that, give me it, give it, send it, say, put
"""),
    fillers=_SMALL_TALK.fillers | listed("""
not, though, was, are, do, did, does, think, believe, case, like, from, come, say, said, says, about, sure, correct
true, right, what, you just said, just said, told, told me, wrote, written, gave, mean, by, know, i dont, i, cant
could, can, would, will, we, have, get, see, want, need, lets, let, give, show, tell, try, may, kindly, maybe, id, im
am, instead, last, previous, above, whole, first, second, answers, response, message, text, sentence, reply, them, us
once, more, in, into, as, without, using, an, two, three, few, fewer, other, own, simple, plain, short, long, brief
briefly, detail, details, detailed, bullet, bullets, point, points, list, table, sentences, word, words, paragraph
json, markdown, email, formal, formally, informal, polite, politely, friendly, friendlier, casual, tone, language
languages, child, kid, beginner, five, 5, year, old, years, be, less, differently, different, way, up, down, bit
little, slowly, clearly, better, terms, only, version, than, before, can understand, understand, easy, easier, step
by step, steps, things, half, conversation, chat, emoji, emojis, 10, 20, 50, choose, based, use, used, got, these
those, numbers, number, thing, part, up to date, based on, exact, whole thing, at all, yet, absolutely, totally
certain, were, which, where, who, how
""") | _LANGUAGES,
)  # fmt: skip

_STARTS = listed("""
and, but, what about, how about, what if, then, also, so, or, for, on, in, at, with, without, from, until, till, after
before, if, only, even, when, not, which, since, by, because, to, same, including, plus, do i, does it
""")  # fmt: skip
_STARTING = re.compile(f"(?:{'|'.join(sorted(_STARTS))}) ")
_REFERRING = re.compile(
    r"\b(?:it|its|that|this|these|those|they|them|their|theirs|there|ones?|same|he|she|him|her|others?|another|else|such"
    r"|then|instead|too|latter|former|both|either|neither|as well|anymore|otherwise)\b"
)
_SHORT = 4  # words: a shorter clause rarely names what it is about

_ASKING = re.compile(
    r"\b(?:who|whom|whose|what|whats|which|when|where|why|how|can|could|would|should|may|is|are|do|does|did|has|tell|give"
    r"|show|list|find|explain|describe|define|write|name|compare|translate|need|want|wondering|wonder|know|looking|info"
    r"|information|details|recommend|suggest|help|please|price|cost|number|policy|rules)\b"
)
_SPEAKING = re.compile(
    r"\b(?:i|ill|im|id|ive|my|me|we|well|lets|you|your|youre|hi|hello|hey|thanks|thank|ok|okay|good|no|yes)\b"
)


def is_remark(clause: str) -> bool:
    """True if somebody says something, and does not ask."""
    return is_small_talk(clause) or (bool(_SPEAKING.search(clause)) and not _ASKING.search(clause))


def is_small_talk(clause: str) -> bool:
    return _SMALL_TALK.cover(clause)


def is_about_answer(clause: str) -> bool:
    return _ABOUT_ANSWER.cover(clause)


def continues(clause: str) -> bool:
    """True if the clause may not be understood without the question before."""
    return bool(_STARTING.match(clause) or _REFERRING.search(clause)) or len(clause.split()) < _SHORT
