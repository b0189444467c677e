"""What vLLM 0.32 writes when it does not start."""

import pytest

from operators.reconcile.engine_failure import cause

# The worker's cause, then what its server makes of it.
MEMORY = """\
(EngineCore pid=8508) ERROR 11-28 11:03:16 [core.py:1510] EngineCore failed to start.
(EngineCore pid=8508) ERROR 11-28 11:03:16 [core.py:1510] Traceback (most recent call last):
(EngineCore pid=8508) ERROR 11-28 11:03:16 [core.py:1510]   File "/x/vllm/v1/engine/core.py", line 1, in run
(EngineCore pid=8508) ERROR 11-28 11:03:16 [core.py:1510] ValueError: No available memory for the cache blocks.
(APIServer pid=8494) Traceback (most recent call last):
(APIServer pid=8494]   File "<frozen runpy>", line 198, in _run_module_as_main
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
/usr/lib/python3.11/multiprocessing/resource_tracker.py:254: UserWarning: resource_tracker: There appear to be 1 leaked
  warnings.warn('resource_tracker: There appear to be %d '
"""
LENGTH = """\
Traceback (most recent call last):
pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
  Value error, User-specified max_model_len (999) is greater than the derived max_model_len. [type=value_error]
    For further information visit https://errors.pydantic.dev/2.14/v/value_error
"""
PLACE = """\
Traceback (most recent call last):
  File "/x/huggingface_hub/utils/_validators.py", line 155, in validate_repo_id
    raise HFValidationError(
huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name': '/nowhere/at/all'.
"""
FLAG = """\
usage: api_server.py [-h] [--headless]
                     [model_tag]
api_server.py: error: unrecognized arguments: --no-such-flag
"""


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (MEMORY, "ValueError: No available memory for the cache blocks."),
        (LENGTH, "Value error, User-specified max_model_len (999) is greater than the derived"),
        (PLACE, "HFValidationError: Repo id must be in the form 'repo_name': '/nowhere/at/all'."),
        (FLAG, "unrecognized arguments: --no-such-flag"),
    ],
)
def test_the_cause_is_found_wherever_it_stands(log: str, words: str) -> None:
    assert cause(log).startswith(words)


@pytest.mark.parametrize("log", ["", "INFO 11-28 11:03:16 [core.py:1] Loading weights took 1.2 s\n", "\n\n"])
def test_nothing_is_said_to_have_failed_where_nothing_did(log: str) -> None:
    assert cause(log) == ""


def test_a_cause_is_one_line_of_bounded_length() -> None:
    assert len(cause("ValueError: " + "x" * 10_000)) == 400
