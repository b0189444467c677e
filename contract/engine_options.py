"""The vLLM arguments and variables allowed in objects, for speed and capacity. This module is pure.

Options that run other code, open a port, read other files or weaken isolation are not allowed, except
trust-remote-code.
"""

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

# Flags of vLLM 0.32, without --; each may be written with _ for -, and with no- before it.
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
# A word is one of these flags, or a flag's value: any word without a leading -, or a negative number.
_NAMES = "|".join(name.replace("-", "[-_]") for name in ARGUMENTS)
ALLOWED_WORD = rf"^(--(no[-_])?({_NAMES})(=.*)?|[^-].*|-[0-9.].*|)$"
# No variable here names code to load, a file, a directory, a port, or a server other than a proxy.
VARIABLES = (
    "CUDA_DEVICE_MAX_CONNECTIONS", "CUDA_DEVICE_ORDER", "CUDA_LAUNCH_BLOCKING", "GLOO_SOCKET_IFNAME",
    "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ENABLE_HF_TRANSFER", "HF_HUB_OFFLINE", "HF_XET_HIGH_PERFORMANCE", "HTTPS_PROXY",
    "HTTP_PROXY", "KMP_AFFINITY", "KMP_BLOCKTIME", "MKL_NUM_THREADS", "NCCL_ALGO", "NCCL_BUFFSIZE", "NCCL_CUMEM_ENABLE",
    "NCCL_DEBUG", "NCCL_IB_DISABLE", "NCCL_IB_GID_INDEX", "NCCL_IB_HCA", "NCCL_MAX_NCHANNELS", "NCCL_MIN_NCHANNELS",
    "NCCL_NVLS_ENABLE", "NCCL_P2P_DISABLE", "NCCL_P2P_LEVEL", "NCCL_PROTO", "NCCL_SHM_DISABLE", "NCCL_SOCKET_IFNAME",
    "NO_PROXY", "OMP_NUM_THREADS", "OMP_PLACES", "OMP_PROC_BIND", "OMP_WAIT_POLICY", "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF", "SAFETENSORS_FAST_GPU", "TOKENIZERS_PARALLELISM", "TORCHDYNAMO_DISABLE",
    "TORCH_NCCL_ASYNC_ERROR_HANDLING", "VLLM_ALLOW_LONG_MAX_MODEL_LEN", "VLLM_ATTENTION_BACKEND",
    "VLLM_CPU_KVCACHE_SPACE", "VLLM_CPU_MOE_PREPACK", "VLLM_CPU_NUM_OF_RESERVED_CPU", "VLLM_CPU_OMP_THREADS_BIND",
    "VLLM_CPU_SGL_KERNEL", "VLLM_DISABLE_COMPILE_CACHE", "VLLM_ENGINE_ITERATION_TIMEOUT_S",
    "VLLM_ENGINE_READY_TIMEOUT_S", "VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS", "VLLM_FLASHINFER_MOE_BACKEND",
    "VLLM_FUSED_MOE_CHUNK_SIZE", "VLLM_LOGGING_LEVEL", "VLLM_LOG_STATS_INTERVAL", "VLLM_MARLIN_USE_ATOMIC_ADD",
    "VLLM_RPC_TIMEOUT", "VLLM_SLEEP_WHEN_IDLE", "VLLM_USE_DEEP_GEMM", "VLLM_USE_FLASHINFER_MOE_FP4",
    "VLLM_USE_FLASHINFER_MOE_FP8", "VLLM_USE_FLASHINFER_SAMPLER", "VLLM_USE_TRITON_AWQ", "VLLM_USE_TRTLLM_ATTENTION",
    "VLLM_WORKER_MULTIPROC_METHOD",
)  # fmt: skip


def refused_argument(arguments: Iterable[str]) -> str | None:
    """The first word that is neither an allowed flag nor a value; None without one."""
    return next((word for word in arguments if not re.fullmatch(ALLOWED_WORD, word, re.DOTALL)), None)


def refused_variable(names: Iterable[str]) -> str | None:
    return next((name for name in names if name not in VARIABLES), None)


_PARALLEL = re.compile(r"--(tensor|pipeline|data|prefill[-_]context)[-_]parallel[-_]size([-_]local)?(?:=(.*))?")


def devices(arguments: Sequence[str]) -> int:
    """The GPUs of one engine with these arguments. What is no number counts as 1: vLLM refuses it."""
    sizes: dict[str, int] = {}
    for word, following in pairwise((*arguments, "")):
        if match := _PARALLEL.fullmatch(word):
            kind, local, given = match.groups()
            value = following if given is None else given
            sizes[kind + (local or "")] = int(value) if value.isdecimal() else 1
    if any(kind.startswith("data") and kind != "data" for kind in sizes):
        sizes.pop("data", None)  # the others are on other nodes
    return math.prod(sizes.values())
