"""The phase of a starting engine, from its log (pure)."""

# Log lines of vLLM 0.32 in order, and the phase after each. Lines missing in another version are skipped.
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
    """The last phase in `log`, which must hold one start only."""
    return next((doing for line, doing in reversed(PHASES) if line in log), BEFORE)
