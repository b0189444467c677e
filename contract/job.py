"""The agreement of jobs and the operator: exit statuses, and lines of JSON on standard output.

A job says `{"error": …}` where it fails, and as its last line `{"result": …}`; all other lines are its progress.
"""

import json
from collections.abc import Mapping
from typing import Any

# The exit status of a job that would fail again: its inputs are at fault.
REFUSED = 3
# Names in a job's folder.
DATA, START, RESULT = "data.jsonl", "start", "result.json"
QUESTIONS = "questions.jsonl"  # of a teacher: its answers become the data
TEACHER = "teacher.txt"  # a summary of its answers
# The folder of an Evaluation's first run with its scores, beside the folders of its runs; and the file in it.
REFERENCE, SCORES = "reference", "scores.json"
# Bytes of a result: what a container's termination message holds (https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/).
MOST_RESULT = 4096

Line = Mapping[str, Any]


def lines(text: str) -> list[Line]:
    """The lines of a log that are objects; libraries may write others."""
    return [line for line in map(_line, text.splitlines()) if line is not None]


def _line(text: str) -> Line | None:
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
