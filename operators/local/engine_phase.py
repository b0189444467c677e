"""What an engine that starts is doing, from its own log (pure)."""

# Lines of vLLM 0.32, in their order, and what it does from there on. One that is gone in another version is skipped.
PHASES = (
    ("non-default args", "reading the model's configuration"),
    ("Initializing a V1 LLM engine", "starting its worker"),
    ("Starting to load model", "loading the weights"),
    ("Loading weights took", "making room for keys and values"),
    ("init engine (profile, create kv cache, warmup model) took", "opening its API"),
    ("Starting vLLM server", "listening"),
)
BEFORE = "importing vLLM"


def phase(log: str) -> str:
    """The last phase whose line is there; a log holds one start only."""
    return next((doing for line, doing in reversed(PHASES) if line in log), BEFORE)
