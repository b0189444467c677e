"""Condition types, every reason in one place, and the one way to change a condition (pure)."""

from datetime import datetime
from typing import Literal

from contract.value import Value

ACCEPTED = "Accepted"
FETCHED = "Fetched"
RELEASED = "Released"
READY = "Ready"
RESIDENT = "Resident"  # only on adapters without a place in the memory of every engine
STEADY = "Steady"  # only on tenants with enough evidence of drift
AS_GOOD = "AsGood"  # only on evaluations after their first run

# Accepted
VALID = "Valid"
NO_TENANT = "NamespaceHasNoTenant"
NAMESPACE_TAKEN = "NamespaceTaken"
BASE_MODEL_MISSING = "BaseModelDoesNotExist"
BASE_MODEL_FORBIDDEN = "BaseModelNotAllowed"
KNOWLEDGE_BASE_MISSING = "KnowledgeBaseDoesNotExist"
TOO_MANY_ADAPTERS = "TooManyAdapters"
NAME_TAKEN = "NameTaken"
SOURCE_NOT_OWN = "SourceNotOwn"
EXPIRED = "Expired"
NO_KSERVE = "NoKServe"
CLAIM_NOT_MOUNTED = "ClaimNotMounted"
NOT_APPLIED = "NotApplied"
DIGEST_TAKEN = "DigestTaken"
# Reasons that mean a loss of the right to the service. With any other refusal, only the newest spec is wrong, and the
# running version continues.
REVOKING = frozenset({NO_TENANT, NAMESPACE_TAKEN, BASE_MODEL_FORBIDDEN, TOO_MANY_ADAPTERS})
ADAPTER_MISSING = "AdapterDoesNotExist"
RANK_TOO_HIGH = "RankTooHigh"
TOO_FEW_GPUS = "TooFewGPUs"
SECRET_NOT_YOURS = "SecretNotYours"
NO_JOBS = "NoJobs"
SAME_VARIANTS = "SameVariants"
TOO_LONG = "TooLong"
# Steady
NO_DRIFT = "NoDrift"
QUESTIONS_CHANGED = "QuestionsChanged"
DOCUMENTS_CHANGED = "DocumentsChanged"
ANSWERS_CHANGED = "AnswersChanged"
ENGINE_SPEED_CHANGED = "EngineSpeedChanged"
CHANGED = "Changed"
# AsGood
AS_BEFORE = "AnswersAsBefore"
WORSE = "AnswersWorse"
# Fetched, Released, Ready
NO_SLOT = "NoSlot"
ON_DEMAND = "OnDemand"
ON_SOME_REPLICAS = "OnSomeReplicas"
SECRET_MISSING = "SecretMissing"
ROUTED = "Routed"
CANARY_RUNNING = "CanaryRunning"
CANARY_FAILED = "CanaryFailed"
ROLLED_BACK = "RolledBack"
FETCHING = "Fetching"
VERIFIED = "Verified"
LOADING = "Loading"
ANSWERING = "Answering"
FETCHING_MODEL = "FetchingModel"
SCALED_TO_ZERO = "ScaledToZero"
ENGINE_STARTING = "EngineStarting"
ENGINE_DOWN = "EngineDown"
ENGINE_FAILED = "EngineFailed"
GATEWAY_DOWN = "GatewayDown"
INGESTING = "Ingesting"
INDEXED = "Indexed"
INGEST_FAILED = "IngestFailed"
DOCUMENTS_FAILED = "DocumentsFailed"
WAITING = "Waiting"
TRAINING = "Training"
ASKING = "Asking"
COMPARED = "Compared"
EVALUATION_FAILED = "EvaluationFailed"
QUEUED = "Queued"
TRAINED = "Trained"
TRAINING_FAILED = "TrainingFailed"
STOPPED = "Stopped"
OVER_LIMIT = "OverLimit"
SPOILS_ENGINE = "SpoilsEngine"
ENGINE_ENDED = "EngineEnded"
# Reasons that mean harm to an engine: the version is not loaded on any engine again.
HARMFUL = frozenset({SPOILS_ENGINE, ENGINE_ENDED})
# Reasons without need for action: the object is still in progress.
ON_ITS_WAY = frozenset({WAITING, FETCHING, LOADING, INGESTING, QUEUED, TRAINING, ASKING})


class Condition(Value):
    """One observation of an object, in the shape of Kubernetes' metav1.Condition."""

    type: str
    """The observed aspect."""
    status: Literal["True", "False", "Unknown"]
    """True if it is true."""
    reason: str
    """Why, in one word."""
    message: str = ""
    """The reason in words, with the remedy."""
    observed_generation: int = 0
    """The observed generation of the spec."""
    last_transition_time: str = ""
    """When the status last changed, in ISO 8601."""

    @property
    def holds(self) -> bool:
        return self.status == "True"


Conditions = tuple[Condition, ...]


def stamp(now: datetime) -> str:
    """A UTC time as text for objects, in ISO 8601."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def find(conditions: Conditions, kind: str) -> Condition | None:
    return next((c for c in conditions if c.type == kind), None)


def holds(conditions: Conditions, kind: str) -> bool:
    condition = find(conditions, kind)
    return condition is not None and condition.holds


def decisive(conditions: Conditions) -> Condition | None:
    """The one that a person has to know of: the first false one of Accepted, Fetched and Ready, or else the last."""
    steps = [step for kind in (ACCEPTED, FETCHED, READY) if (step := find(conditions, kind))]
    return next((step for step in steps if not step.holds), steps[-1] if steps else None)


def condition(kind: str, true: bool, reason: str, message: str = "") -> Condition:
    return Condition(type=kind, status="True" if true else "False", reason=reason, message=message)


def merged(old: Conditions, new: Conditions, *, generation: int, now: str) -> Conditions:
    """`new` in place of `old`; the transition time changes only if the status changes."""

    def dated(item: Condition) -> Condition:
        before = find(old, item.type)
        since = before.last_transition_time if before and before.status == item.status else now
        return item.model_copy(update={"observed_generation": generation, "last_transition_time": since})

    return tuple(dated(item) for item in new)
