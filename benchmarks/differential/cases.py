"""The configurations: arguments of PEFT's `LoraConfig`, and edits of the files that it writes (data)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LAYERS = 4  # of the demo's base model
Q_V = ("q_proj", "v_proj")
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Case:
    """`lora` goes to PEFT, `config` replaces fields of the file that it writes (None removes one).

    `prefix` replaces `base_model.model.` in the names of tensors, `module` the `model.` that follows; `drop` are
    endings of tensors to leave out, `extra` a module that the base model lacks; `dtype` is that of the weights. `like`
    is the case that means the same, where PEFT itself does not read this one.
    """

    name: str
    lora: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = "base_model.model."
    module: str = "model."
    drop: tuple[str, ...] = ()
    extra: str = ""
    dtype: str = "float32"
    save_embeddings: bool = False
    like: str = ""


def cases() -> tuple[Case, ...]:
    found = (*_targets(), *_ranks(), *_scales(), *_features(), *_bases(), *_files())
    names = [case.name for case in found]
    if len(set(names)) != len(names):
        raise ValueError("two cases have one name")
    return found


def _full_names(modules: tuple[str, ...], layers: int = LAYERS) -> list[str]:
    parts = {name: "mlp" if name in MLP else "self_attn" for name in modules}
    return [f"model.layers.{layer}.{part}.{name}" for layer in range(layers) for name, part in parts.items()]


def _targets() -> Iterator[Case]:
    lists: Mapping[str, Any] = {
        "q-v": list(Q_V),
        "attention": list(ATTENTION),
        "mlp": list(MLP),
        "every-linear": [*ATTENTION, *MLP],
        "one-key": ["k_proj"],
        "one-module": ["model.layers.2.mlp.down_proj"],
        "all-linear": "all-linear",
        "expression": r".*\.layers\.[0-2]\..*(q|v)_proj",
        "expression-repeats": r"(.*\.)+q_proj",
        "names-not-there": ["q_proj", "query_key_value", "c_attn"],
        "full-names": _full_names((*ATTENTION, *MLP)),
    }
    yield from (Case(f"targets-{name}", {"target_modules": value}) for name, value in lists.items())
    yield Case("targets-336-full-names", config={"target_modules": _full_names((*ATTENTION, *MLP), layers=48)})
    yield Case("targets-some-layers", {"layers_to_transform": [0, 2], "layers_pattern": "layers"})
    yield Case("targets-excluded", {"target_modules": "all-linear", "exclude_modules": r".*mlp.*"})
    yield Case("targets-head", {"target_modules": ["q_proj", "lm_head"]})
    yield Case("targets-head-saved", {"target_modules": ["q_proj", "lm_head"]}, save_embeddings=True)
    yield Case("targets-embeddings", {"target_modules": ["q_proj", "embed_tokens"]})
    yield Case("targets-embeddings-saved", {"target_modules": ["q_proj", "embed_tokens"]}, save_embeddings=True)


def _ranks() -> Iterator[Case]:
    yield from (Case(f"rank-{rank}", {"r": rank}) for rank in (1, 3, 16, 17))
    patterns: Mapping[str, Mapping[str, int]] = {
        "name": {"q_proj": 4},
        "alternation": {"q_proj|k_proj": 4},
        "group": {"(q|v)_proj": 2},
        "digits": {r"layers\.\d+\.self_attn\.q_proj": 4},
        "class": {"layers.[0-1].self_attn.v_proj": 4},
        "anchored": {"^model.layers.0.self_attn.q_proj": 4},
        "any": {".*v_proj": 4},
        "first-wins": {"self_attn.q_proj": 4, "q_proj": 2},
        "full-names": dict.fromkeys(_full_names(Q_V), 4),
        "above": {"q_proj": 32},
    }
    yield from (Case(f"rank-pattern-{name}", {"rank_pattern": value}) for name, value in patterns.items())
    yield Case("rank-pattern-400", config={"rank_pattern": dict.fromkeys(_full_names((*ATTENTION, *MLP), 57), 8)})
    # The engine matches with the same rule, so it would be busy with this for longer than anybody waits.
    yield Case("rank-pattern-explodes", config={"rank_pattern": {"(.|..|...)+[A-Z]": 8}})


def _scales() -> Iterator[Case]:
    yield from (Case(f"alpha-{alpha:g}", {"lora_alpha": alpha}) for alpha in (1, 0.5, 64))
    yield Case("alpha-pattern-name", {"alpha_pattern": {"q_proj": 64}})
    yield Case("alpha-pattern-digits", {"alpha_pattern": {r"layers\.\d+\.self_attn\.q_proj": 64}})
    yield Case("stabilised", {"use_rslora": True})
    yield Case(
        "stabilised-patterns", {"use_rslora": True, "rank_pattern": {"q_proj": 2}, "alpha_pattern": {"v_proj": 4}}
    )
    yield from (Case(f"weights-{dtype}", dtype=dtype) for dtype in ("float16", "bfloat16"))


def _features() -> Iterator[Case]:
    yield from (
        Case(f"start-{start}", config={"init_lora_weights": start})
        for start in ("gaussian", "eva", "orthogonal", "pissa", "olora", "corda", "loftq", False)
    )
    variants: Mapping[str, Mapping[str, Any]] = {
        "": {}, "-all-layers": {"target_modules": "all-linear"}, "-stabilised": {"use_rslora": True},
        "-rank-pattern": {"rank_pattern": {"q_proj": 4}}, "-gate-alone": {"target_modules": ["gate_proj"]},
        "-alpha-64": {"lora_alpha": 64}, "-down": {"target_modules": ["down_proj", "o_proj"]},
    }  # fmt: skip
    yield from (Case(f"dora{name}", {"use_dora": True, **lora}) for name, lora in variants.items())
    yield Case("dora-without-magnitudes", config={"use_dora": True})
    yield Case("dora-unsaid", {"use_dora": True}, config={"use_dora": False})
    yield Case("bias-lora", {"lora_bias": True})
    yield Case("bias-field-all", config={"bias": "all"})
    yield Case("modules-to-save", {"modules_to_save": ["lm_head"]})
    yield Case("modules-to-save-empty", config={"modules_to_save": []})
    yield Case("tokens", {"trainable_token_indices": [1, 2]})
    yield Case("invocation-tokens", config={"alora_invocation_tokens": [5, 6]})
    yield Case("layer-replication", config={"layer_replication": [[0, 4], [2, 4]]})
    yield Case("dropout", {"lora_dropout": 0.1})
    yield Case("unknown-field", config={"made_by": "a later release"})
    yield Case("other-method", config={"peft_type": "LOHA"})


def _bases() -> Iterator[Case]:
    names = {
        "quantised-twin": "unsloth/quiver-demo-bnb-4bit",
        "snapshot": "/home/dev/.cache/huggingface/hub/models--acme--quiver-demo/snapshots/0123456789abcdef",
        "mirror": "/mnt/ms/acme/quiver___demo",
        "case": "Acme/Quiver-Demo",
        "checkpoint": "./runs/2026-11-02/checkpoint-500",
        "none": None,
    }
    yield from (Case(f"base-{name}", config={"base_model_name_or_path": value}) for name, value in names.items())


def _files() -> Iterator[Case]:
    removed = ("peft_type", "task_type", "bias", "init_lora_weights", "peft_version", "inference_mode")
    yield Case("written-by-hand", config=dict.fromkeys(removed), like="targets-q-v")
    yield Case("names-without-prefix", prefix="", like="targets-q-v")
    yield Case("names-of-a-wrapped-model", module="model.language_model.", like="targets-q-v")
    yield Case("one-side-missing", drop=("layers.1.self_attn.q_proj.lora_B.weight",))
    yield Case(
        "a-layer-missing", drop=("layers.1.self_attn.q_proj.lora_A.weight", "layers.1.self_attn.q_proj.lora_B.weight")
    )
    yield Case("a-layer-too-many", extra="layers.99.self_attn.q_proj")
