"""Adapters that nobody should be served: each is right but for one thing, and has a reason of its own to be refused.

S8 of the security battery. An artifact is made for a base model (`Fit`), so that only the one thing is wrong with it.
"""

import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from serving.agent.adapter_config import CONFIG
from serving.agent.weights import WEIGHTS

RANK = 8


@dataclass(frozen=True)
class Fit:
    """The base model's name, and one of its linear layers with its inputs and outputs."""

    base: str
    module: str
    inputs: int
    outputs: int

    @property
    def a(self) -> str:
        return f"base_model.model.{self.module}.lora_A.weight"

    @property
    def b(self) -> str:
        return f"base_model.model.{self.module}.lora_B.weight"

    @property
    def target(self) -> str:
        return self.module.rpartition(".")[2]


SMALL = Fit("base", "model.layers.0.self_attn.q_proj", 4, 4)


@dataclass(frozen=True)
class Hostile:
    what: str
    reason: str
    write: Callable[[Path], None]


def config(fit: Fit = SMALL, **changes: Any) -> dict[str, Any]:
    right = {
        "peft_type": "LORA",
        "base_model_name_or_path": fit.base,
        "r": RANK,
        "lora_alpha": 16,
        "target_modules": [fit.target],
    }
    return right | changes


def matrix(rows: int, columns: int, begin: int, dtype: str = "F32", size: int = 4) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [rows, columns], "data_offsets": [begin, begin + rows * columns * size]}


def pair(fit: Fit = SMALL, *, rank: int = RANK, inputs: int = 0, dtype: str = "F32", size: int = 4) -> dict[str, Any]:
    width = inputs or fit.inputs
    first = matrix(rank, width, 0, dtype, size)
    return {fit.a: first, fit.b: matrix(fit.outputs, rank, first["data_offsets"][1], dtype, size)}


def weights(header: Any, data: bytes | None = None) -> bytes:
    """`data` is as long as the header says unless it is given: finite and not zero in every dtype."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    if data is None:
        size = max(entry["data_offsets"][1] for entry in header.values())
        data = (b"\x00\x00\x80\x3c" * (size // 4 + 1))[:size]
    return struct.pack("<Q", len(text)) + text + data


def write(directory: Path, *, fit: Fit = SMALL, settings: Any = None, content: bytes | None = None) -> Path:
    """A directory as PEFT writes it."""
    directory.mkdir(parents=True, exist_ok=True)
    chosen = config(fit) if settings is None else settings
    (directory / CONFIG).write_bytes(chosen if isinstance(chosen, bytes) else json.dumps(chosen).encode())
    (directory / WEIGHTS).write_bytes(weights(pair(fit)) if content is None else content)
    return directory


def all_hostile(fit: Fit) -> list[Hostile]:
    return [*_of_weights(fit), *_of_configs(fit), *_of_directories(fit)]


def _of_weights(fit: Fit) -> Iterator[Hostile]:
    for what, reason, content in (*_contents(fit), *_tables(fit), *_numbers(fit)):
        yield Hostile(what, reason, lambda path, content=content: _discard(write(path, fit=fit, content=content)))  # type: ignore[misc]


def _of_configs(fit: Fit) -> Iterator[Hostile]:
    for what, reason, settings in _settings(fit):
        yield Hostile(what, reason, lambda path, settings=settings: _discard(write(path, fit=fit, settings=settings)))  # type: ignore[misc]


def _discard(_: Path) -> None:
    return None


def _contents(fit: Fit) -> Iterator[tuple[str, str, bytes]]:
    """Files that are not what their name says."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("data.pkl", pickle.dumps(print))
    broken, header = "NotSafetensors", json.dumps(pair(fit))
    metadata = json.dumps({"__metadata__": {"a": 1}, **pair(fit)})
    yield from (
        ("empty weights", broken, b""),
        ("seven bytes", broken, b"1234567"),
        ("a pickle", broken, pickle.dumps(print)),
        ("a zip", broken, archive.getvalue()),
        ("a header of 2^63 bytes", broken, struct.pack("<Q", 2**63) + b"{}"),
        ("a header past the end", broken, struct.pack("<Q", 10_000) + b"{}"),
        ("a header that is no JSON", broken, weights(b"{nope", bytes(9))),
        ("a header nested too deep", broken, weights(b"[" * 100_000 + b"]" * 100_000, bytes(9))),
        ("a header that is a list", broken, weights(b"[]", bytes(9))),
        ("no tensors", broken, weights({}, b"")),
        ("a header in UTF-16", broken, weights(header.encode("utf-16"), bytes(64))),
        (
            "a header with a mark of byte order",
            broken,
            weights(b"\xef\xbb\xbf" + header.encode(), bytes(64)),
        ),
        (
            "metadata that is no text",
            broken,
            weights(metadata.encode(), bytes(64)),
        ),
        ("bytes missing", "OffsetsInvalid", weights(pair(fit))[:-4]),
        ("bytes too many", "OffsetsInvalid", weights(pair(fit)) + bytes(4)),
    )


def _tables(fit: Fit) -> Iterator[tuple[str, str, bytes]]:
    """Headers that describe something else than this base model's LoRA."""
    whole = len(weights(pair(fit))) - 8 - len(json.dumps(pair(fit)))
    a, b = pair(fit).values()
    size = a["data_offsets"][1]

    def changed(**changes: Any) -> bytes:
        return weights({fit.a: a | changes, fit.b: b}, bytes(whole))

    def renamed(module: str) -> bytes:
        return weights(pair(Fit(fit.base, module, fit.inputs, fit.outputs)))

    invalid = "TensorInvalid"
    yield from (
        ("a tensor that is text", invalid, weights({fit.a: "x"}, bytes(9))),
        ("a tensor of integers", invalid, changed(dtype="I64")),
        ("a tensor of unknown type", invalid, changed(dtype="F1024")),
        ("a vector", invalid, changed(shape=[RANK * fit.inputs])),
        ("an offset that is false", invalid, changed(data_offsets=[False, size])),
        ("a shape of no rows", invalid, changed(shape=[0, fit.inputs])),
        ("a negative shape", invalid, changed(shape=[-RANK, -fit.inputs])),
        ("a shape too large for its bytes", invalid, changed(shape=[2**40, 2**40])),
        ("a shape of text", invalid, changed(shape=[str(RANK), fit.inputs])),
        ("a tensor that is no LoRA", invalid, weights({"model.embed_tokens.weight": a})),
        ("a module outside of the model", invalid, renamed("../../q_proj")),
        ("a module in another script", invalid, renamed(fit.module.replace("o", "\u043e", 1))),
        ("a name that is no text", invalid, weights(b'{"\\ud800": {"dtype": "F32", "shape": [8, 4], '
                                                    b'"data_offsets": [0, 128]}}', bytes(128))),
        ("offsets that overlap", "OffsetsInvalid",
         weights({fit.a: a, fit.b: b | {"data_offsets": [size - 64, whole - 64]}}, bytes(whole))),
        ("offsets with a hole", "OffsetsInvalid",
         weights({fit.a: a, fit.b: b | {"data_offsets": [size + 32, whole + 32]}}, bytes(whole + 32))),
        ("offsets that begin late", "OffsetsInvalid", changed(data_offsets=[8, size + 8])),
        ("A alone", "ShapeInvalid", weights({fit.a: a})),
        ("a rank that is not the configuration's", "ShapeInvalid", weights(pair(fit, rank=RANK // 2))),
        ("a width that is not the base's", "ShapeInvalid", weights(pair(fit, inputs=fit.inputs * 2))),
        ("a layer that the base does not have", "UnknownModule", renamed(fit.module.replace("0", "99", 1))),
        ("a module that the adapter does not target", "UnknownModule",
         renamed(fit.module.replace("q_proj", "v_proj"))),
    )  # fmt: skip


def _numbers(fit: Fit) -> Iterator[tuple[str, str, bytes]]:
    def ending(raw: bytes, dtype: str = "F32", size: int = 4) -> bytes:
        return weights(pair(fit, dtype=dtype, size=size))[: -len(raw)] + raw

    yield from (
        ("NaN", "NotFinite", ending(struct.pack("<f", float("nan")))),
        ("infinity", "NotFinite", ending(struct.pack("<f", float("-inf")))),
        ("NaN in bfloat16", "NotFinite", ending(struct.pack("<H", 0x7FC0), "BF16", 2)),
        ("infinity in float16", "NotFinite", ending(struct.pack("<H", 0xFC00), "F16", 2)),
    )


def _settings(fit: Fit) -> Iterator[tuple[str, str, Any]]:
    invalid, unsupported = "ConfigInvalid", "FeatureUnsupported"
    yield from (
        ("a configuration that is no JSON", invalid, b"{"),
        ("a configuration that is a list", invalid, b"[]"),
        ("a configuration nested too deep", invalid, b"[" * 100_000),
        ("a configuration that is huge", invalid, b" " * (2 * 1024 * 1024)),
        ("a rank of text", invalid, config(fit, r="8")),
        ("a rank of zero", invalid, config(fit, r=0)),
        ("a scale of text", invalid, config(fit, lora_alpha="16")),
        ("a scale that is no number", invalid, config(fit, lora_alpha=float("nan"))),
        ("no scale", invalid, config(fit, lora_alpha=None)),
        ("a scale of zero in a pattern", invalid, config(fit, alpha_pattern={"q_proj": 0})),
        ("a scale of four hundred digits", invalid, config(fit, lora_alpha=10**400)),
        ("a scale that makes weights infinite", invalid, config(fit, alpha_pattern={"q_proj": 1e30})),
        ("a configuration in UTF-16", invalid, json.dumps(config(fit)).encode("utf-16")),
        ("ten thousand patterns", invalid, config(fit, rank_pattern={f"m{n}": 8 for n in range(10_000)})),
        ("no targets", invalid, config(fit, target_modules=None)),
        ("targets of numbers", invalid, config(fit, target_modules=[1])),
        ("a pattern that explodes", "PatternTooSlow", config(fit, rank_pattern={"(.|..|...)+[A-Z]": 8})),
        ("a pattern that is broken", invalid, config(fit, alpha_pattern={"q\\": 8})),
        ("another method", "NotLora", config(fit, peft_type="IA3")),
        ("an empty configuration", invalid, {}),
        ("a rank above the engine's", "RankTooHigh", config(fit, r=1024)),
        ("a rank above it in a pattern", "RankTooHigh", config(fit, rank_pattern={"q_proj": 64})),
        ("a DoRA without magnitudes", "ShapeInvalid", config(fit, use_dora=True)),
        ("a DoRA of text", invalid, config(fit, use_dora="yes")),
        ("saved modules", unsupported, config(fit, modules_to_save=["lm_head"])),
        ("a bias", unsupported, config(fit, bias="all")),
        ("a start that changes the base", unsupported, config(fit, init_lora_weights="pissa")),
        ("layers repeated", unsupported, config(fit, layer_replication=[[0, 1]])),
        ("an activated LoRA", unsupported, config(fit, alora_invocation_tokens=[1])),
    )


def _of_directories(fit: Fit) -> Iterator[Hostile]:
    """What else can stand in the place of a file."""

    def instead(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
        def change(directory: Path) -> None:
            write(directory, fit=fit)
            (directory / name).unlink()
            make(directory / name)

        return change

    for name in (CONFIG, WEIGHTS):
        yield Hostile(f"{name} is a link", "NotARegularFile", instead(name, lambda p: p.symlink_to("/etc/hostname")))
        yield Hostile(f"{name} is a pipe", "NotARegularFile", instead(name, os.mkfifo))
        yield Hostile(f"{name} is a directory", "NotARegularFile", instead(name, Path.mkdir))
