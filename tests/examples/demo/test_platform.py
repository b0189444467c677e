import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.demo.platform import NotReady, Platform, copy_objects, create_key


def adapter(name: str, *conditions: tuple[str, str]) -> dict[str, Any]:
    shown = [{"type": kind, "status": status} for kind, status in conditions]
    return {"kind": "Adapter", "metadata": {"name": name}, "status": {"conditions": shown}}


def test_only_what_is_ready_is_counted(tmp_path: Path) -> None:
    items = [
        adapter("support", ("Ready", "True")),
        adapter("api", ("Accepted", "True"), ("Ready", "False")),
        adapter("desk", ("Accepted", "True")),
        adapter("brief"),
    ]
    (tmp_path / ".quiver").mkdir()
    (tmp_path / ".quiver" / "snapshot.json").write_text(json.dumps({"objects": {"adapters": items}}))
    with subprocess.Popen([sys.executable, "-c", ""], text=True) as process:
        platform = Platform(tmp_path, 8080, process)
    assert platform.ready("adapters") == 1
    assert platform.ready("knowledgeBases") == 0


def test_objects_are_never_copied_over_others(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    with pytest.raises(FileExistsError):
        copy_objects(tmp_path / "demo")


def test_a_key_for_a_tenant_that_is_not_there_says_so(tmp_path: Path) -> None:
    root = copy_objects(tmp_path / "demo")
    with pytest.raises(NotReady, match=r"no key for tenant initech: Error: .* holds no Tenant initech"):
        create_key(root, "initech")
