"""The tokenizer and the chat format that training and serving share."""

import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from models.demo.corpus import HEADER, Writer, grounding

PAD, END, SYSTEM, USER, ASSISTANT = SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
PIECES = 2048
CONTEXT = 1024
# What tools said is read like passages, in front of the question: the model has learnt no other place for it.
TEMPLATE = (
    "{%- set seen = namespace(system='', results='', count=0) -%}"
    "{%- for message in messages -%}"
    "{%- if message['role'] in ('system', 'developer') -%}{%- set seen.system = message['content'] -%}"
    "{%- elif message['role'] == 'tool' -%}{%- set seen.count = seen.count + 1 -%}"
    "{%- set seen.results = seen.results + '\\n[' ~ seen.count ~ '] ' ~ message['content'] -%}"
    "{%- endif -%}{%- endfor -%}"
    "{%- if seen.results -%}{%- set seen.system = (seen.system + '\\n\\n' if seen.system else '') + '" + HEADER + "\\n'"
    " + seen.results -%}{%- endif -%}"
    "{%- if seen.system -%}<|system|>{{ seen.system }}<|end|>{%- endif -%}"
    "{%- for message in messages -%}{%- if message['role'] in ('user', 'assistant') and message['content'] -%}"
    "<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"
)
# A name or a number is cut the same way at the start of an answer as inside a sentence, so that it can be copied:
# the space in front of a capital, digit or bracket is a piece of its own. Only small words carry theirs.
# Digits are cut in pairs from the left: a bare number is one piece or two.
PIECE_PATTERN = r"\d{1,2}|\[|\]|[A-Z][a-z]*| ?[a-z]+|\s|[^\sA-Za-z\d\[\]]"


def build_tokenizer(seed: int = 0, scenes: int = 12_000) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PIECE_PATTERN), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=PIECES, special_tokens=SPECIAL, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(_texts(seed, scenes), trainer)
    return wrap(tokenizer)


def wrap(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[SYSTEM, USER, ASSISTANT],
        chat_template=TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def _texts(seed: int, scenes: int) -> Iterator[str]:
    writer = Writer(random.Random(seed), held=False)
    for _ in range(scenes):
        scene = writer.scene(passages=4, questions=4)
        yield grounding(scene.passages)
        yield from (example.question for _, example in scene.asked)


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(folder)
