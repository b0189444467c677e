"""Trains the base model; started again, it goes on where it was.

`OMP_NUM_THREADS=1 torchrun --nproc_per_node 2 -m models.demo.train_base --minutes 62`: two processes that
meet every few steps wait far less for each other on a busy machine than two threads that meet in every operation.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import distributed
from torch.nn import functional
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from models.demo.batches import Batch, Encoder, Head, Sequence, batches, collate, scenes
from models.demo.chat import CONTEXT, build_tokenizer, load_tokenizer
from models.demo.corpus import Scene, Writer
from models.demo.styles import BASE

SEQUENCES, QUESTIONS = 6, 8
PEAK_RATE, COOL_DOWN = 1.5e-3, 0.3
# Slow turns let names be compared over a whole context.
ROPE_BASE = 1e7
GUIDE_WEIGHT, LINK_GAIN, REPEAT_GAIN, MATCH_GAIN, FAST_TURNS = 1.0, 3.0, 6.0, 1.5, 10
PLAIN_UNTIL, PLAIN_AFTER = 0.4, 0.1
MEET_EVERY, LOG_EVERY, SAVE_EVERY = 10, 50, 250
# Which head of which layer, counted from the last, is shown where to look.
GUIDED = {Head.ATTRIBUTE: (-2, 0), Head.ENTITY: (-2, 1), Head.MARK: (-2, 2), Head.VALUE: (-1, 0), Head.PASSAGE: (-1, 1)}


@dataclass
class Run:
    """What a training run needs to go on: the state that a checkpoint holds, and the time it has used."""

    model: LlamaForCausalLM
    optimizer: torch.optim.Optimizer
    minutes: float
    steps: int = 0
    seconds: float = 0.0

    @property
    def progress(self) -> float:
        return min(1.0, self.seconds / (60 * self.minutes))

    def rate(self) -> float:
        """Up over the first steps, flat, then down to zero."""
        return PEAK_RATE * min(1.0, (self.steps + 1) / 100, (1.0 - self.progress) / COOL_DOWN)

    def save(self, path: Path) -> None:
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(state | {"steps": self.steps, "seconds": self.seconds}, path)

    def load(self, path: Path) -> None:
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps, self.seconds = state["steps"], state["seconds"]


def new_model(tokenizer: PreTrainedTokenizerFast, width: int, layers: int) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=width * 2,
        num_hidden_layers=layers,
        num_attention_heads=4,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_BASE},
        initializer_range=0.04,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    wire(model)
    return model


@torch.no_grad()
def wire(model: LlamaForCausalLM) -> None:
    """Starts the guided heads with weights that do their work once they look at the right place.

    Attribute, entity and mark heads write what they see to a part of the state each. The value head compares the
    first two between question and passage, and repeats the token it finds; the passage head repeats the mark.
    Large embeddings keep what a token is readable up to there. Learnt from noise, all this takes many times longer.
    """
    size, width = model.config.head_dim, model.config.hidden_size
    model.model.embed_tokens.weight.normal_()
    model.model.norm.weight.fill_(0.1)
    parts = orthonormal(width, width).split(size)
    for head, part in zip((Head.ATTRIBUTE, Head.ENTITY, Head.MARK), parts, strict=True):
        connect(model, head, reads=orthonormal(size, width), writes=LINK_GAIN * part)
    whole = orthonormal(size, width)
    connect(model, Head.VALUE, reads=whole, writes=REPEAT_GAIN * whole)
    seen = model.model.layers[GUIDED[Head.MARK][0]].self_attn.v_proj.weight[rows(model, Head.MARK)]
    connect(model, Head.PASSAGE, reads=parts[2], writes=REPEAT_GAIN * seen)
    compare(model, parts[0], parts[1])


def orthonormal(rows: int, columns: int) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(columns, columns)).Q[:rows]


def rows(model: LlamaForCausalLM, head: Head) -> slice:
    size = model.config.head_dim
    return slice(GUIDED[head][1] * size, (GUIDED[head][1] + 1) * size)


def connect(model: LlamaForCausalLM, head: Head, reads: torch.Tensor, writes: torch.Tensor) -> None:
    attention = model.model.layers[GUIDED[head][0]].self_attn
    attention.v_proj.weight[rows(model, head)] = reads
    attention.o_proj.weight[:, rows(model, head)] = writes.T


def compare(model: LlamaForCausalLM, attribute: torch.Tensor, entity: torch.Tensor) -> None:
    """Queries equal keys in the slow half-turns of the rotary code, which hardly change with the distance."""
    attention = model.model.layers[GUIDED[Head.VALUE][0]].self_attn
    half = model.config.head_dim // 2
    start = rows(model, Head.VALUE).start
    for first, part in ((start, attribute), (start + half, entity)):
        slow = slice(first + FAST_TURNS, first + half)
        matched = MATCH_GAIN * orthonormal(half - FAST_TURNS, len(part)) @ part
        attention.q_proj.weight[slow] = matched
        attention.k_proj.weight[slow] = matched


def new_optimizer(model: LlamaForCausalLM) -> torch.optim.Optimizer:
    matrices = [weight for weight in model.parameters() if weight.dim() > 1]
    vectors = [weight for weight in model.parameters() if weight.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.95), fused=True)


def training_stream(run: Run, tokenizer: PreTrainedTokenizerFast, seed: int) -> Iterator[Sequence]:
    """Two passages at most at first, four in the end."""
    rng = random.Random(seed)
    encoder = Encoder(tokenizer, BASE.render, rng, framed=True)
    plain, full = Writer(rng, held=False, plain=True), Writer(rng, held=False)
    while True:
        writer = plain if rng.random() < plain_share(run.progress) else full
        yield encoder.sequence(next(scenes(writer, most_passages(run.progress), QUESTIONS)), rng.random() < 0.1)


def plain_share(progress: float) -> float:
    """Bare facts are short: most of the early steps are spent on many of them."""
    return 0.8 if progress < PLAIN_UNTIL else PLAIN_AFTER


def most_passages(progress: float) -> int:
    return min(4, 2 + int(progress / 0.05))


def answer_loss(model: LlamaForCausalLM, batch: Batch, final: torch.Tensor) -> torch.Tensor:
    weights, targets = batch.weights[:, 1:], batch.ids[:, 1:]
    used = weights > 0
    logits = model.lm_head(final[:, :-1][used])
    losses = functional.cross_entropy(logits.float(), targets[used], reduction="none")
    return (losses * weights[used]).sum() / weights[used].sum()


@partial(torch.compile, dynamic=True)
def states(model: LlamaForCausalLM, batch: Batch) -> list[torch.Tensor]:
    """What goes into each layer, and last what the model predicts from."""
    core = model.model
    found = [core.embed_tokens(batch.ids)]
    rotation = core.rotary_emb(found[0], batch.positions)
    for layer in core.layers:
        found.append(layer(found[-1], attention_mask=batch.mask, position_embeddings=rotation))
    return [*found[:-1], core.norm(found[-1])]


def guide_loss(model: LlamaForCausalLM, batch: Batch, inputs: list[torch.Tensor], head: Head) -> torch.Tensor:
    """Shows one head where to look: left to find it by itself, the model takes many times longer."""
    row, _, query, start, stop = batch.links[batch.links[:, 1] == head].T
    scores = attention_scores(model, batch, inputs, *GUIDED[head])[row, query]
    logs = scores.float().masked_fill(~batch.mask[row, 0, query], -1e4).log_softmax(-1)
    places = torch.arange(logs.shape[1])
    wanted = (places >= start[:, None]) & (places < stop[:, None])
    return -((logs * wanted).sum(-1) / wanted.sum(-1)).mean()


def attention_scores(
    model: LlamaForCausalLM, batch: Batch, inputs: list[torch.Tensor], layer: int, head: int
) -> torch.Tensor:
    block, size = model.model.layers[layer], model.config.head_dim
    part = slice(head * size, (head + 1) * size)
    # `inputs` has one entry more than there are layers.
    normed = block.input_layernorm(inputs[layer - 1])
    queries, keys = (
        functional.linear(normed, projection.weight[part])[:, None]
        for projection in (block.self_attn.q_proj, block.self_attn.k_proj)
    )
    rotation = model.model.rotary_emb(normed, batch.positions)
    queries, keys = apply_rotary_pos_emb(queries, keys, *rotation)
    return (queries[:, 0] @ keys[:, 0].transpose(1, 2)) * block.self_attn.scaling


def step(run: Run, stream: Iterator[Batch]) -> list[float]:
    started = time.perf_counter()
    batch = next(stream)
    with torch.autocast("cpu", torch.bfloat16):
        inputs = states(run.model, batch)
        answers = answer_loss(run.model, batch, inputs[-1])
        guides = [guide_loss(run.model, batch, inputs, head) for head in Head]
    (answers + GUIDE_WEIGHT * torch.stack(guides).sum()).backward()
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
    for group in run.optimizer.param_groups:
        group["lr"] = run.rate()
    run.optimizer.step()
    run.optimizer.zero_grad()
    run.steps += 1
    run.seconds += time.perf_counter() - started
    return [answers.item(), *(guide.item() for guide in guides)]


@torch.no_grad()
def meet(run: Run) -> None:
    """Averages the weights, and the clock with them, over the processes."""
    weights = list(run.model.parameters())
    flat = torch.cat([*(weight.flatten() for weight in weights), torch.tensor([run.seconds])])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for weight, part in zip(weights, flat[:-1].split([weight.numel() for weight in weights]), strict=True):
        weight.copy_(part.view_as(weight))
    run.seconds = flat[-1].item()


@torch.no_grad()
def quick_scores(model: LlamaForCausalLM, encoder: Encoder, tests: list[Scene]) -> dict[str, float]:
    """Greedy decoding says the wanted answer if and only if each of its tokens is the likeliest after those before."""
    exact: dict[bool, list[float]] = {True: [], False: []}
    for scene in tests:
        batch = collate([encoder.sequence(scene, chained=True)], pad=0)
        wanted = batch.weights[0, 1:] == 1.0
        best = model.lm_head(states(model, batch)[-1][0, :-1][wanted]).argmax(-1)
        exact[scene.asked[0][1].answer is not None].append(float(bool((best == batch.ids[0, 1:][wanted]).all())))
    return {name: sum(exact[key]) / len(exact[key]) for name, key in (("exact", True), ("abstain", False))}


def export(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Writes what the engine serves, in its number format."""
    served = LlamaForCausalLM(model.config).to(torch.bfloat16)
    served.load_state_dict(model.state_dict())
    served.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    served.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # An engine samples at 1.0 where neither request nor model gives a temperature; transformers writes none of 0.
    file = folder / "generation_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "temperature": 0.0}, indent=2) + "\n")


def train(run: Run, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    encoder = Encoder(tokenizer, BASE.render, random.Random(0))
    writer = Writer(random.Random(1), held=True)
    tests = [writer.scene(passages=4, questions=1) for _ in range(120)]
    rank = distributed.get_rank()
    # A stream cannot be rewound: each start and each process draws scenes of its own.
    sequences = training_stream(run, tokenizer, seed=2 * run.steps + rank)
    stream = batches(sequences, tokenizer.pad_token_id, SEQUENCES)
    losses: list[list[float]] = []
    while run.progress < 1.0:
        losses.extend(step(run, stream) for _ in range(MEET_EVERY))
        meet(run)
        if rank == 0 and run.steps % LOG_EVERY == 0:
            report(run, losses[-LOG_EVERY:])
        if rank == 0 and (run.steps % SAVE_EVERY == 0 or run.progress >= 1.0):
            run.save(folder / "checkpoint.pt")
            export(run.model, tokenizer, folder / "export")
            print(quick_scores(run.model, encoder, tests), flush=True)


def report(run: Run, losses: list[list[float]]) -> None:
    answers, *guides = (sum(column) / len(column) for column in zip(*losses, strict=True))
    named = " ".join(f"{head.name.lower()} {guide:.3f}" for head, guide in zip(Head, guides, strict=True))
    left = run.minutes - run.seconds / 60
    print(f"step {run.steps} loss {answers:.3f} {named} rate {run.rate():.5f} left {left:.1f} min", flush=True)


def _tokenizer(folder: Path | None) -> PreTrainedTokenizerFast:
    return load_tokenizer(folder) if folder else build_tokenizer()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/model/base"))
    parser.add_argument("--minutes", type=float, default=62)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--base", type=Path, help="begin with this trained model's weights and tokenizer")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    distributed.init_process_group("gloo")
    torch.manual_seed(0)
    checkpoint = options.folder / "checkpoint.pt"
    tokenizer = _tokenizer(options.base or (options.folder / "export" if checkpoint.exists() else None))
    model = new_model(tokenizer, options.width, options.layers)
    run = Run(model, new_optimizer(model), options.minutes)
    if options.base:
        model.load_state_dict(LlamaForCausalLM.from_pretrained(options.base, dtype=torch.float32).state_dict())
        run.seconds = PLAIN_UNTIL * 60 * options.minutes  # it has learnt from bare facts
    if checkpoint.exists():
        run.load(checkpoint)
    train(run, tokenizer, options.folder)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
