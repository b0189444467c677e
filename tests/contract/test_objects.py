from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.fine_tune import Augmentation, FineTune, Teacher
from contract.names import API_VERSION
from contract.objects import InvalidObjectError, parse_object, to_data
from tests.operators import objects

RUN = "fa78c46758e1"  # another one would train everything again
TENANT: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "Tenant",
    "metadata": {"name": "acme"},
    "spec": {"namespace": "acme"},
}


def _with(**changes: Any) -> dict[str, Any]:
    return {**TENANT, **changes}


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (None, "found nothing"),
        ([], "found a list"),
        (_with(apiVersion="v1"), "write quiver.dev/v1alpha1"),
        (_with(kind="Tennant"), "kind"),
        (_with(spec={"namespace": "acme", "colour": "red"}), "spec.colour: is not a field of this kind"),
        (_with(spec={}), "spec.namespace: is missing"),
        (_with(metadata={"name": "Not A Name"}), "metadata.name"),
        (_with(metadata={"name": "../../etc"}), "metadata.name"),
        (_with(metadata={"name": "acme", "namespace": "x"}), "belongs to no namespace"),
        (_with(kind="APIKey", spec={"sha256": "0" * 64}), "metadata.namespace: is missing"),
        (_with(spec={"namespace": "acme", "limits": {"requestsPerMinute": 0}}), "spec.limits.requestsPerMinute"),
    ],
)
def test_what_is_no_object_is_refused_with_the_field_and_the_fact(data: object, fact: str) -> None:
    with pytest.raises(InvalidObjectError, match=fact.replace(".", r"\.")):
        parse_object(data)


def test_a_training_keeps_its_identity_while_nothing_that_decides_it_changes() -> None:
    tune = objects.fine_tune()
    assert isinstance(tune, FineTune)
    assert tune.spec.run == RUN
    assert tune.spec.model_copy(update={"stopped": True}).run == RUN
    assert tune.spec.model_copy(update={"augmentation": Augmentation()}).run != RUN
    assert tune.spec.model_copy(update={"teacher": Teacher(model="base")}).run != RUN


@pytest.mark.parametrize("source", ["/a\0b", "/a\ud800b"])
def test_a_source_that_no_path_can_hold_is_refused_by_its_field(source: str) -> None:
    with pytest.raises(InvalidObjectError, match=r"^spec\.source: "):
        objects.adapter(source=source)


def test_what_has_no_end_is_not_written_into_the_message() -> None:
    endless: list[Any] = []
    endless += [endless] * 1000
    for data in (_with(apiVersion=endless), _with(kind=endless), _with(apiVersion="x" * 10**6)):
        with pytest.raises(InvalidObjectError) as refusal:
            parse_object(data)
        assert len(str(refusal.value)) < 300


def test_cpu_slots_below_slots_are_refused() -> None:
    with pytest.raises(InvalidObjectError, match="cpuSlots"):
        objects.base_model(lora={"slots": 8, "cpuSlots": 4})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_anything_else_than_an_object_is_an_invalid_object_and_nothing_worse(data: object) -> None:
    for candidate in (data, _with(spec=data), _with(metadata=data), _with(kind=data)):
        try:
            parse_object(candidate)
        except InvalidObjectError:
            continue


@pytest.mark.parametrize(
    "item",
    [
        objects.base_model(),
        objects.tenant(),
        objects.adapter(),
        objects.prompt_adapter(),
        objects.knowledge_base(),
        objects.api_key(),
    ],
    ids=lambda item: item.kind,
)
def test_an_object_survives_being_written_and_read(item: Any) -> None:
    assert parse_object(to_data(item)) == item
