"""`python -m monitoring FOLDER`: writes the rules and dashboards of the chart, and rules of prometheus-adapter."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from monitoring.autoscaling import adapter_rules
from monitoring.dashboards import PAGES, dashboard
from monitoring.rules import rules

_MADE = "# Made by `make monitoring` from monitoring/; edit there.\n"


def files() -> dict[str, str]:
    """By name."""
    made = {f"{page.name}.json": json.dumps(dashboard(page), indent=1) + "\n" for page in PAGES}
    return {**made, "rules.yaml": _yaml(rules()), "prometheus-adapter.yaml": _yaml(adapter_rules())}


def _yaml(data: Mapping[str, Any]) -> str:
    return _MADE + yaml.safe_dump(data, sort_keys=False, width=110, allow_unicode=True)


def main() -> None:
    folder = Path(sys.argv[1])
    for old in folder.glob("*.json"):
        old.unlink()
    for name, text in files().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
