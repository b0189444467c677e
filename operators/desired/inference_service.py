"""A Deployment of engines → an InferenceService with the same pods (pure).

https://kserve.github.io/website/docs/model-serving/predictive-inference/frameworks/custom-predictor/custom-predictor
(KServe 0.16, Standard mode: a Deployment of its own, called NAME-predictor)
"""

from typing import Any

Manifest = dict[str, Any]

# KServe takes the container of this name for the model's; it has to be the first.
MODEL = "kserve-container"


def inference_service(deployment: Manifest, *, least: int, most: int, scaled: bool) -> Manifest:
    """`least` and `most` replicas; if `scaled`, our own autoscaler chooses, else KServe keeps `least`.

    KServe copies labels and annotations of an InferenceService to its pods, so only stable ones are allowed here.
    Adding or removing `autoscaling` changes one.
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
    """KServe's name for the Deployment."""
    return f"{name}-predictor"
