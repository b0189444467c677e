"""Sentence templates of the synthetic corpus.

A template's slots: {e} entity, {a} attribute, {an} attribute with its article, {v} value, {t} topic. `rows` are read
together with a heading that names the entity, `headings` stand in front of a passage as the gateway sends it.
`HELD` holds the wordings that training never sees.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """The templates of one side of the train / held-out split."""

    facts: tuple[str, ...]
    follow_ups: tuple[str, ...]
    fillers: tuple[str, ...]
    titles: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[str, ...]
    questions: tuple[str, ...]
    leads: tuple[str, ...]
    openings: tuple[str, ...]
    closings: tuple[str, ...]
    kind_questions: dict[str, tuple[str, ...]]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


TRAIN = Wording(
    facts=_lines("""
        The {a} of {e} is {v}.
        The {a} for {e} is {v}.
        The {a} at {e} is {v}.
        {e} has {an} of {v}.
        {e} offers {an} of {v}.
        {e} comes with {an} of {v}.
        {e} now has {an} of {v}.
        As a rule, {e} has {an} of {v}.
        For {e}, the {a} is {v}.
        At {e}, the {a} is {v}.
        With {e}, the {a} is {v}.
        In the case of {e}, the {a} is {v}.
        {e}'s {a} is {v}.
        {e}: the {a} is {v}.
        The {a} of {e} was set to {v}.
        The {a} for {e} was changed to {v}.
        The {a} of {e} stays at {v}.
        The {a} that applies to {e} is {v}.
        The current {a} of {e} is {v}.
        The {a} listed for {e} is {v}.
        The {a} given by {e} is {v}.
        Please note that the {a} of {e} is {v}.
        We confirm that the {a} for {e} is {v}.
        Since last month, the {a} of {e} has been {v}.
        From next month on, the {a} of {e} will be {v}.
        The team agreed that the {a} for {e} is {v}.
        According to the contract, the {a} of {e} is {v}.
        Everyone at {e} knows that the {a} is {v}.
        Customers of {e} should know that the {a} is {v}.
        When you choose {e}, the {a} is {v}.
        {e} - {a}: {v}.
        {a} of {e}: {v}.
        {a} for {e}: {v}.
        The {a}, as published by {e}, is {v}.
        {e} keeps the {a} at {v}.
        {e} sets the {a} to {v}.
        You will find that the {a} of {e} is {v}.
        Today the {a} of {e} is {v}.
        The {a} offered by {e} is {v}.
        The {a} fixed for {e} is {v}.
        The {a} announced for {e} was {v}.
        The {a} agreed with {e} is {v}.
        The {a} quoted by {e} is {v}.
        The {a} recorded for {e} is {v}.
        {e} has {an}; it is {v}.
        {e} comes with {an}: {v}.
        {e} has an official {a} of {v}.
        {e} still has {an} of {v}.
        {e} usually has {an} of {v}.
        {e} once again has {an} of {v}.
        {e} delivers {an} of {v}.
        {e} includes {an} of {v}.
        {e} works with {an} of {v}.
        Every {e} has {an} of {v}.
        If you use {e}, the {a} is {v}.
        Where {e} is concerned, the {a} is {v}.
        Speaking of {e}, the {a} is {v}.
        Regarding {e}, the {a} is {v}.
        Concerning {e}, the {a} is {v}.
        As for {e}, the {a} is {v}.
        On {e}: the {a} is {v}.
        Inside {e} the {a} is {v}.
        Remember that at {e} the {a} is {v}.
        Keep in mind that with {e} the {a} is {v}.
        It is known that for {e} the {a} is {v}.
        It was decided that the {a} of {e} is {v}.
        You get {an} of {v} with {e}.
        There is {an} of {v} at {e}.
        {v} is the {a} of {e}.
        {e} ({a}: {v}) is listed here.
        {e}, {a}: {v}.
        {a} ({e}): {v}.
        {a}, {e}: {v}.
        {a} at {e}: {v}.
        The {a} {e} has is {v}.
    """),
    leads=_lines("""
        As of today,
        As of last week,
        From now on,
        At the moment,
        At present,
        Until further notice,
        According to the manual,
        According to our files,
        According to the price list,
        In general,
        Usually,
        Officially,
        For your information,
        As you know,
        As mentioned before,
        As agreed,
        To be clear,
        In short,
        Good to know:
        Note:
        Important:
        Reminder:
        Update:
        By the way,
        In fact,
        This year
        Right now
    """),
    follow_ups=_lines("""
        Its {a} is {v}.
        The {a} is {v}.
        It also has {an} of {v}.
        There, the {a} is {v}.
        The {a} is now {v}.
        Moreover, the {a} is {v}.
    """),
    fillers=_lines("""
        This page was reviewed by the team last year.
        Please read the handbook before you ask.
        All details are subject to change.
        Our staff is happy to help with any question.
        The service desk answers every request in turn.
        This section is part of the handbook.
        Customers like how simple it is.
        More details are published on the main page.
        The rules below apply to all new customers.
        We wrote this guide for new members of the team.
        Please keep a copy of this document.
        Older versions of this page are no longer valid.
        The table was updated after the last review.
        {e} is well known in the region.
        {e} has many happy customers.
        {e} was founded a long time ago.
        People often ask about {e}.
        This note is about {e}.
        {e} currently works with several partners.
        Nothing else was changed.
        Ask the desk if anything is not clear.
        The legal team has approved this text.
        In most cases no further step is needed.
        We thank you for your interest.
        The following was agreed with the board.
        It provides what most customers need.
        If you want to know more, read the guide.
        This would be true for most people, too.
    """),
    titles=_lines("""
        Handbook: {t}.
        Handbook - {t}.
        Guide: {t}.
        FAQ: {t}.
        Policy: {t}.
        Price list: {t}.
        {t}.
        {t}:
        {t} handbook.
        About {t}.
        Fact sheet {t}.
        Notes: {t}.
    """),
    headings=_lines("""
        {t}
        {t}s
        {t} terms
        All about {t}
        {t} and more
        Handbook > {t}
        Guide > {t}
        Price list > {t}
        {t} > Overview
        {t} > Details
        Terms > Customers > {t}
    """),
    rows=_lines("""
        {a}: {v}.
        {a}: {v}
        {a} - {v}
        {a} | {v}
        {a} is {v}.
    """),
    questions=_lines("""
        What is the {a} of {e}?
        What is the {a} for {e}?
        What is the {a} at {e}?
        What is {e}'s {a}?
        What's the {a} of {e}?
        Tell me the {a} of {e}.
        Can you tell me the {a} for {e}?
        Could you tell me what the {a} of {e} is?
        Which {a} does {e} have?
        What {a} does {e} offer?
        I need the {a} of {e}.
        Please give me the {a} for {e}.
        Do you know the {a} of {e}?
        For {e}, what is the {a}?
        At {e}, what is the {a}?
        I would like to know the {a} of {e}.
        {a} of {e}?
        {a} for {e}?
        {e} {a}?
        what is the {a} of {e}
        What do we know about the {a} of {e}?
        What does {e} list as the {a}?
        A customer asks for the {a} of {e}.
        Look up the {a} for {e}.
        Which {a} applies to {e}?
        How about the {a} of {e}?
        Please find the current {a} of {e}.
        Does {e} have {an}, and what is it?
        Show me the {a} of {e}.
        Show the {a} for {e}.
        List the {a} of {e}.
        Name the {a} of {e}.
        State the {a} of {e}.
        Find the {a} of {e}.
        Find out the {a} for {e}.
        Get me the {a} of {e}.
        Send me the {a} of {e}.
        Check the {a} of {e}.
        Let me know the {a} of {e}.
        Remind me of the {a} of {e}.
        Explain the {a} of {e}.
        I wonder what the {a} of {e} is.
        I am looking for the {a} of {e}.
        I have to know the {a} for {e}.
        I'd like the {a} of {e}.
        We need the {a} for {e}.
        My boss wants the {a} of {e}.
        What might the {a} of {e} be?
        What will the {a} for {e} be?
        What should the {a} of {e} be?
        What was the {a} of {e}?
        What is the exact {a} of {e}?
        What is the present {a} of {e}?
        What is the valid {a} for {e}?
        What is the usual {a} at {e}?
        What is the {a} that {e} has?
        What about the {a} of {e}?
        What did they say about the {a} of {e}?
        Is there {an} for {e}?
        Is it known what the {a} of {e} is?
        Are you able to tell me the {a} of {e}?
        Would you tell me the {a} of {e}?
        Would you mind telling me the {a} for {e}?
        May I know the {a} of {e}?
        May I ask what the {a} of {e} is?
        Can I get the {a} for {e}?
        Can you say what the {a} of {e} is?
        Can somebody tell me the {a} of {e}?
        Does anybody know the {a} of {e}?
        Have you got the {a} of {e}?
        Regarding {e}, what is the {a}?
        As for {e}, what is the {a}?
        Concerning {e}: what is the {a}?
        In the case of {e}, what is the {a}?
        When it is about {e}, what is the {a}?
        About {e}: the {a}?
        {e}: {a}?
        {e}, {a}?
        the {a} of {e}?
        {e}'s {a}?
        tell me {e}'s {a}
        I need {e}'s {a}.
    """),
    openings=_lines("""
        Hello.
        Hello,
        Hi,
        Hey,
        Good morning.
        Good evening,
        Excuse me,
        Sorry,
        Quick question:
        One more question:
        Question:
        Please,
        Now,
        So,
        And
        Also,
        Next,
        Okay,
        Dear team,
        Just to be sure:
    """),
    closings=_lines("""
        Thanks.
        Thank you.
        Thanks a lot!
        Please be brief.
        It is urgent.
        I forgot.
        A customer asks.
        Many thanks in advance.
    """),
    kind_questions={
        "duration": ("How long is the {a} of {e}?", "How long is the {a} for {e}?"),
        "money": ("How much is the {a} of {e}?", "How much is the {a} for {e}?"),
        "size": ("How large is the {a} of {e}?", "How big is the {a} for {e}?"),
        "clock": ("At what time is the {a} of {e}?", "When is the {a} of {e}?"),
        "date": ("When is the {a} of {e}?", "On which day is the {a} of {e}?"),
        "place": ("Where is the {a} of {e}?", "In which city is the {a} of {e}?"),
        "person": ("Who is the {a} of {e}?", "Who is the {a} for {e}?"),
        "percent": ("How high is the {a} of {e}?", "How high is the {a} for {e}?"),
        "measure": ("How much is the {a} of {e}?", "Which {a} has {e}?"),
    },
)

HELD = Wording(
    facts=_lines("""
        The {a} set for {e} is {v}.
        As of this month, the {a} of {e} is {v}.
        {e} currently has {an} of {v}.
        Note that for {e} the {a} is {v}.
        According to the handbook, the {a} for {e} is {v}.
        When it comes to {e}, the {a} is {v}.
        The {a} published for {e} is {v}.
        {e} provides {an} of {v}.
    """),
    follow_ups=_lines("""
        Its current {a} is {v}.
        It comes with {an} of {v}.
    """),
    fillers=_lines("""
        This document was updated by the service team.
        Please ask our staff for more details.
        The guide below was approved by the board.
        {e} is known to many customers.
        Most people read this page before they ask.
    """),
    titles=_lines("""
        Guide - {t}.
        Policy handbook: {t}.
        Notes about {t}.
    """),
    headings=_lines("""
        {t}
        {t} facts
        Manual > {t}
        {t} > Summary
    """),
    rows=_lines("""
        {a}: {v}.
        {a} = {v}
    """),
    questions=_lines("""
        Please tell me the {a} of {e}.
        What would the {a} for {e} be?
        Do you know what the {a} of {e} is?
        I want to know the {a} for {e}.
        With {e}, what is the {a}?
        Give me the {a} of {e}, please.
        What is the current {a} of {e}?
    """),
    leads=(),
    openings=(),
    closings=(),
    kind_questions={
        "duration": ("How long is {e}'s {a}?",),
        "money": ("How much is {e}'s {a}?",),
        "place": ("Where is {e}'s {a}?",),
        "person": ("Who is {e}'s {a}?",),
    },
)
