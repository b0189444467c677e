"""The chart's definitions say what `contract` says, and as much as a reader and an API server need."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.objects import KINDS, AnyObject
from contract.value import Value
from operators.crd.__main__ import template
from operators.crd.definitions import definition, definitions
from operators.crd.schema import structural

FOLDER = Path(__file__).parents[3] / "charts/quiver/templates/crds"


def _fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from _fields(field, f"{path}.{name}")
        yield from _fields(field.get("items", {}), f"{path}.{name}[]")


def _schema(kind: type[AnyObject]) -> dict[str, Any]:
    schema: dict[str, Any] = definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def test_the_chart_holds_what_is_made_from_the_models() -> None:
    made = {f"{plural}.yaml": template(item) for plural, item in definitions().items()}
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == made, "run make crds"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described(kind: type[AnyObject]) -> None:
    fields = [(path, field) for path, field in _fields(_schema(kind)) if path.startswith((".spec", ".status"))]
    assert fields
    assert [path for path, field in fields if not field.get("description", "").endswith(".")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_map_and_string_is_bounded(kind: type[AnyObject]) -> None:
    bounds = {"array": "maxItems", "string": "maxLength"}
    loose = [
        path
        for path, field in _fields(_schema(kind))
        if path.startswith((".spec", ".status"))
        and (bound := bounds.get(field.get("type", "")))
        and bound not in field
        and "enum" not in field
    ]
    assert loose == []


@pytest.mark.parametrize("kind", KINDS)
def test_spec_and_status_have_the_fields_of_the_model(kind: type[AnyObject]) -> None:
    for part in ("spec", "status"):
        model = kind.model_fields[part].annotation
        assert model
        names = {field.alias or name for name, field in model.model_fields.items()}
        assert set(_schema(kind)["properties"][part]["properties"]) == names


@pytest.mark.parametrize("kind", KINDS)
def test_people_see_whether_it_is_ready_the_fact_they_ask_for_and_its_age(kind: type[AnyObject]) -> None:
    columns = [c["name"] for c in definition(kind)["spec"]["versions"][0]["additionalPrinterColumns"]]
    assert columns[0] == "Ready"
    assert columns[-1] == "Age"
    assert kind.definition.columns[0].name in columns


def test_a_field_without_words_is_named() -> None:
    class Silent(Value):
        extra: int = 0

    with pytest.raises(LookupError, match=r"Silent\.extra"):
        structural(Silent, defaults=True)


def test_every_rule_says_what_to_do() -> None:
    assert [rule for kind in KINDS for rule in kind.definition.rules if len(rule.message.split()) < 6] == []
