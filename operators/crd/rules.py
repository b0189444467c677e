"""Rules beyond a schema's reach, in CEL, checked by the API server before it stores an object.

The models of `contract` check the same rules for files.
"""

from dataclasses import dataclass

from contract.engine_options import ALLOWED_WORD, VARIABLES


@dataclass(frozen=True)
class Rule:
    """`path` is the path of the field called `self`, "" for the whole object; `message` gives the remedy."""

    kind: str
    path: str
    rule: str
    message: str


_LABEL = "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')"
_NAME_MESSAGE = "metadata.name: choose at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
# Agents define the schemes: `serving/agent/sources/kinds`.
_URI = "'^[a-z][a-z0-9+.-]*://.+$'"

RULES = (
    *(
        Rule(kind, "", _LABEL, _NAME_MESSAGE)
        for kind in ("BaseModel", "Tenant", "Adapter", "KnowledgeBase", "APIKey")
    ),
    Rule("BaseModel", "spec.lora", "self.cpuSlots >= self.slots",
         "cpuSlots must be at least slots; raise lora.cpuSlots"),
    Rule("BaseModel", "spec.autoscaling", "self.maxReplicas >= self.minReplicas",
         "maxReplicas must be at least minReplicas; raise autoscaling.maxReplicas"),
    Rule("BaseModel", "spec.runtime", "self == oldSelf",
         "a base model keeps its runtime; make another BaseModel, and move the adapters to it"),
    Rule("BaseModel", "", "self.metadata.name.size() <= (self.spec.runtime == 'KServe' ? 41 : 56)",
         "metadata.name: at most 56 characters, 41 with KServe, since pods and services are named after it"),
    Rule("BaseModel", "", "!self.metadata.name.endsWith('-predictor')",
         "metadata.name: KServe gives its own objects such names; choose a name that does not end with -predictor"),
    Rule("BaseModel", "spec.source", "!self.contains('://') || self.matches('^(hf|pvc|file)://')",
         "name where the model lies: a name on the hub, hf://ORG/NAME@REVISION, pvc://CLAIM/DIRECTORY or a directory"),
    Rule("BaseModel", "spec.source", "!self.matches('(^|/)[.][.](/|$)')", "a source has no '..' in it"),
    Rule("BaseModel", "spec.engineArgs", f"self.all(a, a.matches('{ALLOWED_WORD}'))",
         "engineArgs may set what docs/objects.md lists; what the platform sets comes from other fields"),
    Rule("BaseModel", "spec.engineEnv",
         f"self.all(k, k in {list(VARIABLES)})",
         "engineEnv may set what docs/objects.md lists; a platform sets others with the chart's engine.env"),
    Rule("Tenant", "spec.namespace", "self == oldSelf",
         "a tenant keeps its namespace; make another Tenant for another namespace"),
    Rule("Tenant", "spec.namespace", "!self.startsWith('kube-') && self != 'default'",
         "choose a namespace that is the tenant's alone, not one of the cluster's"),
    Rule("Adapter", "spec.source", f"self.matches({_URI})",
         "name where the adapter lies: hf://, s3://, gs://, https://, oci://, pvc:// or file://"),
    Rule("Adapter", "spec.rollout.canary.steps", "self.all(s, self.filter(t, t.weight == s.weight).size() == 1)",
         "each step of a canary needs a weight of its own"),
    Rule("Adapter", "spec.rollout.canary.steps", "self.map(s, s.weight).isSorted()",
         "the weights of a canary's steps must increase; put them in order"),
    Rule("KnowledgeBase", "spec.sources", "self.all(s, s.path.startsWith('/') && !s.path.matches('(^|/)[.][.](/|$)'))",
         "a source is an absolute path without '..', in the tenant's directory of documents"),
    Rule("APIKey", "spec.sha256", "self == oldSelf",
         "an APIKey keeps its key; make another APIKey for another key"),
)  # fmt: skip
