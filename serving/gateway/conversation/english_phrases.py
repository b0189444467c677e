"""What users say in English besides questions to documents, in the notation of `grammar`."""

# Short spellings and contractions, and what they are read as.
SPELT_OUT = """
u you, ya you, ur your, r are, pls please, plz please, thx thanks, tnx thanks, thnx thanks, thanx thanks, ty thanks
tysm thanks, thankyou thank you, im i am, ive i have, id i would, ill i will, youre you are, youve you have
thats that is, thatll that will, its it is, theres there is, whats what is, wats what is, hows how is, whos who is
wheres where is, whys why is, dont do not, doesnt does not, didnt did not, cant can not, cannot can not
wont will not, isnt is not, wasnt was not, arent are not, havent have not, hasnt has not, couldnt could not
lets let us, gonna going to, wanna want to, gotta have to, gimme give me, lemme let me, wdym what do you mean
sec second, min minute, ok okay, oki okay, okey okay, k okay, kk okay, mornin morning, goodmorning good morning
goodbye bye, summarise summarize, info information, convo conversation, eg for example, bulletpoints bullet points
ans answer, msg message, abt about, tks thanks, goin going, doin doing, ppl people
"""

PHRASES = """
VERY: very, really, so, pretty, quite, super, too, just, absolutely, totally, completely, extremely, a bit, a little
 actually, always, all, rather, truly, incredibly, still, a lot, kind of, such, also, only, exactly
WHEN: today, tomorrow, tonight, now, soon, later, again, around, next time, next week, in a bit, for a while, for now
 for today, at the moment, right now, then, already, yet, so far, anyway, first, lately, at all, before, earlier
MUCH: a lot, so much, very much, a bunch, a million, a ton, tons, loads, lots, alot, heaps, in advance, once again
 kindly
YOU: you, there, all, everyone, everybody, mate, buddy, friend, my friend, man, dude, bro, dear, sir, madam, team
 folks, guys, bot, assistant, chatbot, robot, please, too, though, anyway, to you, with this, with that, for me
MORE: VERY, more, much more, any more, a bit more, a little more
LEAD: and, but, so, well, then, now, just, actually, also, or, honestly, please, no
THE: the, your, this, that, my, all the, all your, all of your, our
AN: a, an, the, another, one, any, some, just a, such a
THAT: it, that, this, these, those, them, everything, all that, all of it, all this
IS: is, was, are, were, have been, has been, looks, sounds, seems, feels, will be, would be
LANGUAGE: english, german, french, spanish, korean, japanese, chinese, italian, portuguese, dutch, polish, turkish
 russian, arabic, hindi, vietnamese, thai, swedish, danish, norwegian, finnish, czech, greek, hebrew, ukrainian

DAY: day, weekend, week, morning, evening, afternoon, night, one, time, holiday, holidays, vacation, lunch, trip
HELLO: hi, hello, hey, hiya, heya, howdy, yo, hallo, hola, greetings, morning, welcome back, long time no see
 good morning|afternoon|evening|day|night, what is up, what is new, what up, wassup, sup, how do you do
 nice|good|pleased|great to meet|see you
GOOD: good, great, perfect, helpful, useful, nice, awesome, amazing, brilliant, lovely, fantastic, excellent
 wonderful, super, cool, clear, fine, okay, sweet, neat, funny, hilarious, quick, fast, easy, smart, clever, kind
 friendly, prompt, impressive, outstanding, superb, enough, detailed, thorough, incredible, informative, polite
 better, interesting, cute, crazy, fun, spot on, the best, exactly right, a star, a lifesaver, a genius, a legend
 a hero, a relief
HOW_ARE_YOU: how is|are|was|were you|things|everything|life|work|it doing|going|been?, how have you been, and you
 how is|was your DAY going|been?, how do you feel, are? you|everything okay|alright|well, how about you
 i? hope you are doing? VERY* well|good|fine|great, i? hope you had|have a? VERY* GOOD DAY
 i? hope everything is well|fine|good
HELP: help, answer, answers, reply, replies, response, responses, support, time, information, explanation, patience
 assistance, advice, effort, details, clarification, tip, tips, service, update, feedback, understanding, work
HELPING: helping, explaining, clarifying, answering, telling, checking, responding, replying, trying, listening
 letting me know, clearing that up, sorting that out, being VERY* helpful|kind|nice|patient
BAD: useless, stupid, dumb, annoying, frustrating, ridiculous, terrible, awful, horrible, bad, worse, pathetic, slow
 rubbish, garbage, trash, crap, boring, disappointing, nonsense, hopeless, worthless, lame, unhelpful, sad, rude
 unfair, bullshit, shit, lazy, silly, the worst, a joke, an idiot, a waste of time, no help, no use, a pity, a shame
 too bad
THING: answer, answers, bot, job, work, one, idea, point, news, stuff, robot, chatbot, machine, help, explanation
 luck, reply, question, service, ai, DAY, to know, to hear, to see, of you
FOR: for THE? GOOD* HELP, for THE? GOOD* HELP and GOOD* HELP, for THAT|nothing, for HELPING me|us|this|that?
THANKS: thanks, thank you, many thanks, big thanks, cheers, danke, merci, gracias, VERY* appreciated, bless you
 i? VERY* appreciate THAT|you, i? VERY* appreciate THE? GOOD* HELP, i am VERY* grateful
IT_IS: THAT IS, you are|were|have? been?, THE HELP IS, ur, your
PRAISE: not? VERY* GOOD|BAD THING?, IT_IS not? VERY* AN? GOOD|BAD THING?
 what AN GOOD|BAD? THING|pity|shame|mess|joke, well done, i? VERY* like|love|hate THAT|you, you VERY* rock|suck
 you saved|made my day|life, nailed it, not bad, keep it up, i am VERY* impressed, such a GOOD|BAD THING, way to go
HELPED: THAT|which|you VERY* helps|helped|works|worked me?
 THAT VERY* answers|answered|solves|solved my question|problem, THAT clears|cleared THAT|things up
 THAT? VERY* makes|made VERY* sense WHEN?, THAT? works now, problem solved, THAT did it|THE trick|job?
 IT_IS? VERY* what|all i VERY* needed|wanted to? know?, IT_IS? VERY* what i was looking|hoping for, that does it|help
YES: nothing, yes, yeah, yea, yep, yup, sure, of course, sure thing, absolutely, definitely, certainly, exactly
 right, correct, true, agreed, indeed, no, nope, nah, okay, okay dokey, okie, alright, all right, fine, noted
 likewise, me too, you too, i? got it|that|you, gotcha, roger, copy that, aha, understood, fair, fair enough
 sounds good, good point, i agree, deal, i VERY* see|know|understand, i VERY* understand it|that|this, not really
 not at all, that is right|correct|true, no problem, no worries, np, all good, i think so, i guess, maybe, perhaps
 never mind, nevermind, nvm, forget it|that|about it?, no idea, i do not know|care, you are VERY* welcome
 my pleasure, whatever, no thanks, that is it, it is okay, same to you, i am VERY* set
OH: oh, ah, aw, aww, ooh, wow, whoa, hm, hmm, mm, um, uh, er, eh, ugh, argh, oops, ouch, whoops, haha, lol, lmao
 rofl, xd, omg, oh my god|gosh, my god, god, jeez, damn, dang, shit, wtf, fuck, fuck you|off|this
 what the hell|heck|fuck, hell, phew, yay, hooray, yikes, meh, bah, pff, oh dear|man|boy|no|well, come on, shut up
 get lost, go away, idiot, moron, unbelievable, are you kidding|joking me?, you idiot|moron
SORRY: VERY* sorry, my bad, my apologies, apologies, i VERY* apologize, pardon me, excuse me, i am VERY* sorry, typo
 my mistake|fault|typo|error, wrong window|chat|button|person, i typed|sent|wrote|clicked THAT by accident|mistake
 ignore that|this, sorry for|about THAT|THE? confusion|mistake|typo|trouble|typos?, sorry to bother|disturb you
 i did not mean that|to
BYE: bye, bye bye, ciao, adios, cya, ttyl, farewell, so long, take care, laters, good luck, all the best, have fun
 see|catch|talk|speak|meet to? you? WHEN, see you, have|enjoy AN|THE VERY* GOOD|pleasant|relaxing? DAY, sleep well
 i? have|need to go|run|leave, gtg, brb, i am off|done|leaving, night night, best|kind regards
 no? that is|was all|everything|it WHEN?, that is|was all|everything i VERY* need|needed|wanted
 no more|other|further questions, i have no more|other|further? questions, nothing else|more, i will be back
WISH: merry|happy christmas|xmas|holidays|birthday|easter|friday|monday, happy new year, congratulations, congrats
 enjoy, i? am? VERY* glad|happy to hear|know THAT?, poor you|me, lucky you|me, bravo, kudos, get well soon
MOOD: tired, exhausted, bored, happy, sad, glad, lonely, hungry, sleepy, angry, mad, upset, excited, annoyed
 frustrated, disappointed, fed up, back, here, new here, kidding, joking
FEELING: feeling VERY* GOOD|BAD|MOOD, i? am not? VERY* GOOD|BAD|MOOD, i feel VERY* GOOD|BAD|MOOD, i give up
 just kidding|joking, i miss you, i am done
 i? am|was? having|had|have|was a VERY* GOOD|BAD|long|hard|rough|busy day|week, it was|is a long|hard|busy day|week
CROSS: you are not VERY* helping|listening|understanding me?, you do not|never VERY* understand|help|listen|get me?
 THAT is|was|does|did not VERY* help|helping|helpful me?, what is wrong with you, you can not help me?
 you do not|never know|understand anything, you know nothing, you are wasting my time, waste of time
 i have had enough
BEING: bot, robot, chatbot, machine, human, human being, person, ai, automated, automated chat, computer, program
 real, chatgpt, gpt, llm, language model, ai model, man, woman, live agent
A_BEING: AN? real|actual|live? BEING, someone|somebody real?
TALK: talking|speaking|chatting|writing to|with, talk|speak|chat to|with
MADE: made, built, created, developed, trained, programmed, invented, designed
WHO: is|are|am i? you|this? TALK? VERY* A_BEING, is|are|am i? you|this|it? TALK? VERY* A_BEING or A_BEING
 you are VERY* like? A_BEING right?, are you not A_BEING, who|what am i TALK, am i talking to, who|what are you VERY*
 who is this|there, which|what kind|sort|type? of? BEING are you, who VERY* MADE you, how are|were you MADE
 your name, what is|was your first|full|real? name, do you have a|any name, what should|can|may i call you
 how old are you, where are you from, where do you live, how do you work, what are you doing, tell me about yourself
 introduce yourself, is there A_BEING there|here, what are you called
YOU_DO: do|can you VERY* sleep|dream|eat|drink|think|love|lie|feel|laugh|sing
 do you have AN? feelings|emotions|friends, do you like|love|hate|enjoy me|it|THE? job|work|people|humans
 do|can you speak|understand LANGUAGE|me, are we friends, what|which|how many? languages do|can you speak|understand
 are you VERY* GOOD|BAD|MOOD|ready|busy, why are you VERY* BAD
 are? you VERY* there|here|alive|awake|listening|working, still there|here
 is? there? anyone|anybody|someone there|here
ASK_WHAT: what|which|how else?, what|which kind|kinds|type|sort? of? topics|questions|things
CAN_DO: ASK_WHAT VERY* can|could you VERY* do|offer|help|assist|answer me|us? with?, what do you do|know
 ASK_WHAT can|may|could|should i VERY* ask you?, ASK_WHAT do you VERY* help|answer with?, what are you able to do
 what are you made|good|used for|at, what is your job|purpose|task, how do|can i use|talk to? you
QUESTION: AN? quick|short|small|simple|different|other|last|more|few|new* question|questions, something, anything
QUESTION_WITH: with QUESTION|this|that
HELP_ME: can|could|would|will you VERY* please? help|assist me|us? out? QUESTION_WITH?
 help me|us? out? QUESTION_WITH?, can|could someone|anyone|somebody help me?, i VERY* need THE|AN? help
 i? have|got QUESTION for?, i? would like|want|need to ask you? QUESTION, can|could|may i ask you? QUESTION?
 AN? quick|last|more* question for?, one more thing, can|could|may i VERY* TALK A_BEING
 i? want|need|prefer to? TALK A_BEING, i would VERY* like|prefer|rather to? TALK A_BEING
TRY: try, do, check, look, read, remember, think, wait, see, test
WILL: i? will|should, i am going to, let me
WAIT: wait a? second|minute|moment?, one|just second|minute|moment, just|wait|give me|hold on? a second|minute|moment
 hold|hang on a? second|minute|moment?, i am waiting, WILL TRY THAT|so? out?, WILL give THAT a try|go|shot
 WILL have a look, i will, i? VERY* found|solved|fixed|figured THAT out?
 WILL ask my? boss|manager|them|him|her|colleague
JOKE: can|could|do? you? please? tell|know me? AN|GOOD* joke|jokes|story, make me laugh, tell me something GOOD
 let us chat|talk, VERY* saying hi|hello, test, testing, this is VERY* a? test, VERY test|testing, i am VERY testing
 hello world, sing a song
SAID: HELLO, HOW_ARE_YOU, THANKS MUCH? FOR? MUCH?, PRAISE, HELPED, YES, OH, SORRY, BYE, WISH, FEELING, CROSS, WHO
 YOU_DO, CAN_DO, HELP_ME, WAIT, JOKE
SENTENCE: LEAD* SAID YOU|WHEN|MUCH*
SMALL_TALK: SENTENCE SENTENCE*

ASK: please, can|could|would|will you VERY* please|kindly?, i? want|need you to, i would like you to, let us, do
 try to, now
WHICH: last, first, second, third, previous, above, whole, full, entire, final
REST: answer, answers, response, reply, message, text, explanation, summary, translation, statement, sentence
 paragraph, part, point, bit, half, step, thing
IT: THAT, THE WHICH* REST, WHICH REST, THE information, what you VERY* said|wrote|told|explained|meant me?, that one
CHAT: THE|our WHICH* conversation|chat|discussion, what|everything we VERY* talked|discussed|spoke|said about? WHEN?
TOPIC: IT, CHAT, me IT?, us IT?, IT to|for me|us
SIMPLE: simple, simply, easy, clear, clearly, brief, briefly, short, long, detailed, precise, precisely, specific
 formal, specifically, concise, informal, casual, polite, politely, friendly, nice, professional, slowly, differently
 technical, complicated, exact, vague, general, confusing, unclear, difficult, hard, abstract, wordy
SHORTER: shorter, longer, simpler, easier, clearer, politer, friendlier, nicer, slower, better, briefly, step by step
 word for word, in other words, in brief, in short, in MORE* detail, in a nutshell, differently, another way
 less SIMPLE, MORE SIMPLE, in your own words, one by one, from the beginning|start
NUMBER: a, an, the, one, two, three, four, five, 1, 2, 3, 4, 5, 10, 20, 50, 100, few, fewer, single, other, my, your
 own, simple, simpler, plain, easy, easier, different, more, less, short, shorter, long, longer, brief, numbered
 bullet, clear, nice, formal, informal, polite, friendly, professional, everyday, quick, laymans, friendlier, better
 nicer, normal, max, about
UNIT: sentence, sentences, word, words, line, lines, points, bullets, bullet points, paragraph, paragraphs, terms
 steps, list, table, language, tone, way, style, version, summary, format, markdown, json, csv, html, checklist
 outline, LANGUAGE
LETTER: email, e mail, mail, letter, memo, message, note, text
CHILD: child, kid, beginner, boss, manager, team, colleague, customer, client, friend, year old, children, kids
 beginners, customers, colleagues, dummies
WORDING: in|into|as|using NUMBER* UNIT, in|into LANGUAGE and|or LANGUAGE, like i am a? five|5|ten|10|stupid|child|kid
FORM: WORDING, to|with|like NUMBER* UNIT, as|into|in|like NUMBER* LETTER
 to|for|like a|an|my|our|five|5|ten|10* CHILD, so i|we|everyone can VERY* understand THAT?
 so that i|we can understand THAT?, with AN? example|examples, without THE? jargon|details, sound|be SHORTER
STYLE: FORM, SHORTER, MORE, WHEN, once more, one more time, back, more, for|to me|us, please, instead, down, up
TELL: explain, clarify, repeat, rephrase, reword, paraphrase, summarize, shorten, simplify, translate, elaborate
 expand, rewrite, reformat, condense, restate, recap, sum up, sum, break, spell, dumb, illustrate, go over
 walk me through
SAY: say, write, put, make, turn, convert, format, phrase, show, present, list, structure, give, read, draft, keep
 organize, sort, split, transform, answer, tell
GIVE: give|show|tell|write|send|make|do|name me|us?, can|could|may i|we have|get|see, i? need|want, just, what is
SHORT_ONE: NUMBER* short|shorter|long|longer|simple|quick|brief|numbered|bullet version|summary|recap|list|answer|points
 the? key|main|important points|facts, AN? tldr|recap|summary|gist, tl dr, bullets, bullet points
 AN VERY* quick|short|brief tldr|recap|summary
REWORD: TELL on|about? TOPIC? STYLE*, easier|simpler|fewer|less|other|different words please?
 SAY TOPIC FORM|SHORTER STYLE*, SAY SHORTER|FORM* IT, say|write|read|show TOPIC STYLE STYLE*, make IT NUMBER* UNIT
 can|could i|we have|get IT WORDING, i? need|want IT WORDING
 answer|reply|respond|speak|talk|write|continue|try|say to|me? FORM|SHORTER|again STYLE*, be MORE* SIMPLE
 use NUMBER* words|language|tone|style, GIVE? SHORT_ONE of|about? TOPIC?, GIVE IT|SHORT_ONE FORM, WORDING STYLE*
 NUMBER* lines|sentences|bullets please, MORE* SHORTER STYLE*, same|also WORDING, LANGUAGE please
 IT|you is|was|are not? VERY* SIMPLE, keep|make THAT SIMPLE, once more, one more time
 correct|fix|check the|your|my spelling|grammar
 write|draft|make|create me|us? NUMBER* UNIT|LETTER with|from|about|of IT, make|create NUMBER* UNIT out of IT
EXAMPLE: AN|few|more|other|concrete|real|simple|good|practical* example|examples
GIVE_EXAMPLE: GIVE|with|any? EXAMPLE of|for|about? IT?, do you have|know EXAMPLE of|for|about? IT?
 like? for example|instance, like what, such as what?
DOCUMENT: document, documents, source, sources, page, section, paragraph, passage, chapter, quote, wording, proof
 evidence, citation
SAYS: say, says, stated, written, mentioned, documented, from, stand, come from
THERE: IT, so, there, in|on it
FIND: get, find, read, see, take, hear, learn, have
SOURCE: THE? source|sources|citation|proof, what is|are? THE source|sources for|of? IT?
 where does IT VERY* SAYS THERE?, where VERY* is IT VERY* SAYS, where did you FIND IT|information from?
 where do you have|know|get IT from, what|which DOCUMENT does|did|is|was IT|you SAYS|FIND THERE|in|on?
 what|which DOCUMENT VERY* says|say THERE, what|which DOCUMENT is THAT in|on?
 what|which DOCUMENT did you use|read|quote, in|on|from what|which DOCUMENT is|does|did IT|you SAYS|FIND THERE?
 in|on|from what|which DOCUMENT, who VERY* says|said|told you? THERE, according to|based what|who|which on? DOCUMENT?
 says who, how do|did|can you know|find THAT? out?, how did you come up with THAT
 where can i see|read|find IT in|on THE DOCUMENT, prove it|that
 quote|cite|show|give|link|name me|us? the|your|exact|original|relevant* DOCUMENT for|of? IT?, quote|cite IT
 do|have you have|got|a|your|any* source|sources|proof|evidence for? IT?, what about the source|sources
TRUE: true, right, correct, accurate, so, up to date, current, official, certain, wrong, false, sure, incorrect
 made up, valid, the case, mistaken, a mistake, outdated, reliable, serious
SURE: are? you 100|really|absolutely|quite|very|so|still* sure|certain|serious|confident, how sure|certain are you
BELIEVE: SURE about|of|that? IT? is|was? VERY* TRUE?, is|was|are IT not? VERY* TRUE, really, for real, seriously
 IT|you is|was|are|were|seems|sounds|looks|must not? VERY* be? TRUE about? IT?, IT can not be VERY* TRUE
 IT does|do not VERY* sound|look|seem TRUE, is IT VERY* TRUE or TRUE
 i VERY* do? not? think|believe|doubt that? IT|you is|are|was not? VERY* TRUE
 i VERY* do? not? doubt|believe|trust IT|you, can i trust|rely|believe on? IT|you, double check IT? WHEN?
 check|verify IT again?, check again, did you make that up, i? think? you made THAT up
KNOW: understand, get, follow
MEAN: mean, meant, means, mean by|with IT
UNCLEAR: i VERY* do not KNOW IT|you|anything?, i VERY* did|can not understand|follow IT|you|anything?
 i did not get that|this|you, i VERY* do|did|can not KNOW what IT|you MEAN, do not KNOW IT?
 i am not VERY* sure i KNOW IT?, i am VERY* confused|lost by? IT?, what do|does|did IT|you VERY* MEAN VERY*, huh
 pardon, what, what is|was IT supposed to mean, meaning, come again
 IT does|makes not? make? VERY* no|any? sense to? me?, IT is unclear, too much text|information, i missed IT
HISTORY: what did|have|was i|you|we VERY* say|ask|said|asked|write|tell|talk me? about? WHEN*, what was that WHEN?
 what is|was|were my|your VERY* WHICH* question|questions|answer|message WHEN*, what have we VERY* discussed|said
GO_ON: more, go on, continue, carry on, keep going, next
 GIVE? MORE* details|detail|information|context about|on? IT?, tell|say me|us? MORE about|on? IT?
 what|anything|something else|more, is that|this|it VERY* all|everything|it, and, so
 is there anything|something? more|else, go into MORE* detail|details, you stopped VERY* in the middle, so what
ASKED: what i wanted|needed to know, what i VERY* asked|meant|wanted|said for?, my question, an answer, the question
 what i was asking|looking for?
WRONG: THAT is|was not VERY* ASKED, you did|do|have not answer|answered|understand|read|get me|ASKED|IT?
 THAT does|did not answer ASKED, you VERY* misunderstood me|it|that|ASKED?, you got me|it|that wrong
 i VERY* meant|asked VERY* something|the else|other one?, i asked VERY* for? something else, i did not ask for? THAT
 answer|read ASKED WHEN?, try again, wrong answer
WHY: why, why not, why is|was VERY* IT TRUE|VERY*, why|how so, how come, why do|did you VERY* think|say|believe IT|so
 what makes you think|say|sure IT|so, what is the reason for? IT?, why VERY* IT
REQUEST: LEAD|ASK* REWORD|GIVE_EXAMPLE|SOURCE|BELIEVE|UNCLEAR|HISTORY|GO_ON|WRONG|WHY YOU|WHEN|VERY*
ENOUGH: THANKS MUCH|FOR*, SORRY
ABOUT_ANSWER: SENTENCE* REQUEST REQUEST? ENOUGH*
"""
