"""The context of every reconcile: the cache to read, and the interfaces for actions."""

from dataclasses import dataclass

from operators.controllers.backend import EngineRuntime, JobRuntime, ObjectStore, Peers
from operators.controllers.cache import ClusterCache
from operators.controllers.events import Events


@dataclass(frozen=True)
class Context:
    cache: ClusterCache
    events: Events
    store: ObjectStore
    engines: EngineRuntime
    jobs: JobRuntime
    peers: Peers
