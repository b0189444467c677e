"""A Deployment of engines → an InferenceService with the same pods (pure).

https://kserve.github.io/website/docs/model-serving/predictive-inference/frameworks/custom-predictor/custom-predictor
(KServe 0.16, Standard mode: a Deployment of its own, called NAME-predictor)

Written in KServe's own types. Their import takes 3 s and 130 MB, so only an operator with KServe imports this module,
at its start.
"""

from typing import Any

from kserve import V1beta1InferenceService, V1beta1InferenceServiceSpec, V1beta1PredictorSpec

Manifest = dict[str, Any]
_MODELS = (V1beta1InferenceService, V1beta1InferenceServiceSpec, V1beta1PredictorSpec)

# KServe treats the container of this name as the model's; it must be the first.
MODEL = "kserve-container"


def inference_service(deployment: Manifest, *, least: int, most: int, scaled: bool) -> Manifest:
    """`least` and `most` replicas; if `scaled`, our own autoscaler chooses, else KServe keeps `least`.

    KServe copies labels and annotations of an InferenceService to its pods, so only those are allowed here that change
    with the pods. Adding or removing `autoscaling` changes one, too. Raises ValueError for a pod field that KServe's
    predictor lacks.
    """
    spec = deployment["spec"]
    pod = dict(spec["template"]["spec"])
    engine, *others = pod.pop("containers")
    predictor = V1beta1PredictorSpec(
        labels=spec["template"]["metadata"]["labels"],
        annotations=spec["template"]["metadata"].get("annotations"),
        min_replicas=least,
        max_replicas=most,
        deployment_strategy=spec["strategy"],
        containers=[{**engine, "name": MODEL}, *others],
        **_arguments(pod),
    )
    return _data(
        V1beta1InferenceService(
            api_version="serving.kserve.io/v1beta1",
            kind="InferenceService",
            metadata=_metadata(deployment["metadata"], scaled=scaled),
            spec=V1beta1InferenceServiceSpec(predictor=predictor),
        )
    )


def _arguments(pod: Manifest) -> dict[str, object]:
    """A pod's fields, by KServe's names for their attributes."""
    names = {field: name for name, field in V1beta1PredictorSpec.attribute_map.items()}
    if unknown := pod.keys() - names:
        raise ValueError(f"KServe's predictor has no field {', '.join(sorted(unknown))}")
    return {names[field]: value for field, value in pod.items()}


def _data(model: Any) -> Manifest:
    """A KServe model as it is sent: by the fields' wire names, without empty fields."""
    values = {field: getattr(model, name) for name, field in model.attribute_map.items()}
    return {
        field: _data(value) if isinstance(value, _MODELS) else value
        for field, value in values.items()
        if value is not None
    }


def _metadata(metadata: Manifest, *, scaled: bool) -> Manifest:
    return {
        **metadata,
        # Without this label KServe creates an Ingress to the engine, which bypasses keys, tenants and limits.
        "labels": {**metadata["labels"], "networking.kserve.io/visibility": "cluster-local"},
        "annotations": {
            "serving.kserve.io/deploymentMode": "Standard",
            "serving.kserve.io/autoscalerClass": "external" if scaled else "none",
        },
    }
