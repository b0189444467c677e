"""`python -m operators.crd DIR`: write the definitions as the chart's templates."""

import argparse
from pathlib import Path

import yaml

from operators.crd.definitions import definitions

_HEAD = """\
{{- /* Made by `make crds` from contract; edit there. */ -}}
{{- if .Values.crds.enabled }}
"""


def template(definition: dict[str, object]) -> str:
    return f"{_HEAD}{yaml.safe_dump(definition, sort_keys=False, width=120, allow_unicode=True)}{{{{- end }}}}\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m operators.crd", description="Writes the definitions of our kinds.")
    parser.add_argument("folder", type=Path, help="of the chart's templates")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for plural, definition in definitions().items():
        (folder / f"{plural}.yaml").write_text(template(definition))


if __name__ == "__main__":
    main()
