"""Which of vLLM's arguments and variables an object may set: those that say how fast an engine runs and how much it
holds. Whatever runs other code, opens a port, reads other files or undoes isolation is not among them (pure)."""

import re
from collections.abc import Iterable

# Of vLLM 0.32, without --; each may be written with _ for -, and with no- before it.
ARGUMENTS = (
    "async-scheduling", "attention-backend", "block-size", "config-format", "convert", "cpu-offload-gb",
    "cudagraph-capture-sizes", "data-parallel-size", "data-parallel-size-local", "dcp-comm-backend",
    "decode-context-parallel-size", "device-memory-utilization", "disable-cascade-attn", "disable-chunked-mm-input",
    "disable-custom-all-reduce", "disable-hybrid-kv-cache-manager", "disable-sliding-window", "enable-chunked-prefill",
    "enable-dbo", "enable-eplb", "enable-expert-parallel", "enable-prefix-caching", "enforce-eager",
    "expert-placement-strategy", "fully-sharded-loras", "generation-config", "gpu-memory-utilization", "hf-overrides",
    "kv-cache-dtype", "kv-cache-memory-bytes", "kv-offloading-backend", "kv-offloading-size",
    "kv-sharing-fast-prefill", "language-model-only", "limit-mm-per-prompt", "linear-backend", "load-format",
    "long-prefill-token-threshold", "lora-dtype", "mamba-block-size", "mamba-cache-dtype", "mamba-cache-mode",
    "max-cudagraph-capture-size", "max-logprobs", "max-num-batched-tokens", "max-num-queued-reqs",
    "max-num-queued-tokens", "max-num-seqs", "max-parallel-loading-workers", "mm-encoder-tp-mode",
    "mm-processor-cache-gb", "mm-processor-kwargs", "model-impl", "moe-backend", "num-gpu-blocks-override",
    "numa-bind", "optimization-level", "override-generation-config", "performance-mode", "pipeline-parallel-size",
    "prefill-context-parallel-size", "prefix-caching-hash-algo", "quantization", "safetensors-load-strategy",
    "scheduling-policy", "seed", "skip-mm-profiling", "spec-method", "spec-model", "spec-tokens",
    "speculative-config", "stream-interval", "tensor-parallel-size", "tokenizer-mode", "trust-remote-code",
    "ubatch-size", "use-tqdm-on-load", "video-pruning-rate",
)  # fmt: skip
# A flag is one of these; any other word is a flag's value, which may be negative.
_NAMES = "|".join(name.replace("-", "[-_]") for name in ARGUMENTS)
ALLOWED_WORD = rf"^(--(no[-_])?({_NAMES})(=.*)?|[^-].*|-[0-9.].*|)$"
VARIABLES = (
    "^(VLLM|HF|OMP|MKL|KMP|CUDA|NCCL|GLOO|NVIDIA|TORCH|TORCHINDUCTOR|TORCHDYNAMO|PYTORCH|TRITON|FLASHINFER|HIP|ROCR|HSA"
    "|TOKENIZERS|SAFETENSORS|TQDM|HTTP|HTTPS|NO)_[A-Z0-9_]+$"
)
# Those name code to load, files and ports to open, or what the operator sets itself.
REFUSED_VARIABLES = (
    "PATH|PLUGIN|PRELOAD|INJECTION|LIBRARY|COMPILER|MODULE|_DIR$|_FILE$|_PORT$|_URL$|_HOST|LOGGING_CONFIG|DEV_MODE"
    "|INSECURE|^VLLM_(API_KEY|ALLOW_RUNTIME_LORA_UPDATING|NO_USAGE_STATS|PATCH)"
)


def refused_argument(words: Iterable[str]) -> str | None:
    """The first word that is no allowed flag and no value."""
    return next((word for word in words if not re.fullmatch(ALLOWED_WORD, word, re.DOTALL)), None)


def refused_variable(names: Iterable[str]) -> str | None:
    return next((name for name in names if not re.search(VARIABLES, name) or re.search(REFUSED_VARIABLES, name)), None)
