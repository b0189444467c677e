from typing import Any

import pytest
from kserve import V1beta1InferenceService

from contract.base_model import BaseModel
from operators.desired.engine_workload import engine_workload
from operators.desired.inference_service import MODEL, inference_service
from tests.operators import objects
from tests.operators.desired.test_engine_workload import PLATFORM

BASE = objects.base_model()
assert isinstance(BASE, BaseModel)
DEPLOYMENT: dict[str, Any] = engine_workload(BASE, uid="u", platform=PLATFORM)[0]


def test_the_pods_are_those_of_the_deployment() -> None:
    predictor = inference_service(DEPLOYMENT, least=1, most=3, scaled=False)["spec"]["predictor"]
    pod = DEPLOYMENT["spec"]["template"]["spec"]
    assert predictor["containers"] == [{**pod["containers"][0], "name": MODEL}, *pod["containers"][1:]]
    assert {field: predictor[field] for field in pod.keys() - {"containers"}} == {
        field: value for field, value in pod.items() if field != "containers"
    }
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (1, 3)


def test_every_field_is_one_of_kserves() -> None:
    service = inference_service(DEPLOYMENT, least=1, most=1, scaled=True)
    assert service.keys() <= set(V1beta1InferenceService.attribute_map.values())
    assert service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "external"


def test_a_field_that_kserve_lacks_is_named() -> None:
    template = {**DEPLOYMENT["spec"]["template"], "spec": {**DEPLOYMENT["spec"]["template"]["spec"], "hostFoo": 1}}
    with pytest.raises(ValueError, match="hostFoo"):
        inference_service({**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "template": template}}, least=1, most=1,
                          scaled=False)  # fmt: skip
