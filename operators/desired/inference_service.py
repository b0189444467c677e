"""A Deployment of engines → the InferenceService that has KServe run the same pods (pure).

https://kserve.github.io/website/docs/model-serving/predictive-inference/frameworks/custom-predictor/custom-predictor
(KServe 0.16, Standard mode: a Deployment of its own, called NAME-predictor)
"""

from typing import Any

Manifest = dict[str, Any]

# KServe takes the container of this name for the model's; it has to be the first.
MODEL = "kserve-container"


def inference_service(deployment: Manifest, *, least: int, most: int, scaled: bool) -> Manifest:
    """`least` and `most` replicas; where `scaled`, an autoscaler of ours chooses, else KServe keeps `least`.

    Labels and annotations of an InferenceService end up in its pods: only what hardly ever changes may be among them.
    To set `autoscaling`, or to take it away, changes one.
    """
    spec = deployment["spec"]
    engine, *others = spec["template"]["spec"]["containers"]
    metadata = {
        **deployment["metadata"],
        # Without it KServe makes an Ingress to the engine, past keys, tenants and limits.
        "labels": {**deployment["metadata"]["labels"], "networking.kserve.io/visibility": "cluster-local"},
        "annotations": {
            "serving.kserve.io/deploymentMode": "Standard",
            "serving.kserve.io/autoscalerClass": "external" if scaled else "none",
        },
    }
    predictor = {
        **spec["template"]["spec"],
        "labels": spec["template"]["metadata"]["labels"],
        "minReplicas": least,
        "maxReplicas": most,
        "deploymentStrategy": spec["strategy"],
        "containers": [{**engine, "name": MODEL}, *others],
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {"predictor": predictor},
    }


def deployment_name(name: str) -> str:
    """What KServe calls the Deployment that it makes."""
    return f"{name}-predictor"
