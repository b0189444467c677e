"""`python -m operators.crd DIR`: write the definitions as the chart's templates."""

import sys
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
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for plural, definition in definitions().items():
        (folder / f"{plural}.yaml").write_text(template(definition))


if __name__ == "__main__":
    main()
