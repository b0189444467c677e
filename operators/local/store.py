"""Objects in a directory of files, and their statuses in a record beside them."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from contract.adapter import Adapter
from contract.adapter_slice import AdapterSlice
from contract.base_model import BaseModel
from contract.objects import AnyObject
from contract.resource import Key, Status
from contract.tenant import Tenant
from operators.controllers.events import DRIFT, INGEST, Events, base_key
from operators.controllers.slice_index import StoredSlice
from operators.controllers.stored_object import StoredObject
from operators.desired.adapters import source_revision
from operators.local import object_files
from operators.local.directory import Contents


class DirectoryStore:
    """`root` is the directory, `statuses` are those of the last run. `changed` is set whenever there is a change to
    publish."""

    most_documents: int | None = None

    def __init__(self, root: Path, events: Events, statuses: Mapping[Key, Status]) -> None:
        self._root = root
        self._events = events
        self._cache = events.cache
        self._recorded = dict(statuses)
        self._versions = count(1)
        self.contents = Contents()
        self.changed = asyncio.Event()

    @property
    def is_complete(self) -> bool:
        return not self.contents.unread

    @property
    def statuses(self) -> Mapping[Key, Status]:
        """By object. A file never read so far may hold objects, so the recorded statuses are kept."""
        kept = self._recorded if self.contents.unread else {}
        return {**kept, **{key: stored.item.status for key, stored in self._cache.objects.items()}}

    def update(self, contents: Contents) -> None:
        """Applies the current content of the files."""
        before, self.contents = self.contents, contents
        self._cache.documents = contents.documents
        items = {item.key: item for item in contents.objects.all}
        for key in self._cache.objects.keys() - items.keys():
            self._recorded.pop(key, None)
            self._events.object_changed(self._cache.objects[key], None)
        for key, item in items.items():
            self._update_one(key, item, contents)
        moved = {key for key in items if before.revisions.get(key) != contents.revisions.get(key)}
        moved |= {key for key in items if before.credentials.get(key) != contents.credentials.get(key)}
        bases = {base_key(item.spec.base_model) for key in moved if isinstance(item := items[key], Adapter)}
        self._events.enqueue({*moved, *bases, *({INGEST, DRIFT} if before.unread != contents.unread else ())})
        self.changed.set()

    def _update_one(self, key: Key, item: AnyObject, contents: Contents) -> None:
        stored, decision = self._cache.objects.get(key), contents.decisions.get(key)
        status = stored.item.status if stored else self._recorded.get(key, item.status)
        current = item.model_copy(update={"status": status})
        if stored is None or stored.item != current or stored.decision != decision:
            new = StoredObject(current, self._version(), str(key), decision=decision)
            self._events.object_changed(stored, new)

    def revision(self, adapter: Adapter) -> str:
        declared = self._cache.get(adapter.key)
        if isinstance(declared, Adapter) and declared.spec.fine_tune:  # a result never changes
            return source_revision(adapter)
        return self.contents.revisions.get(adapter.key, "")

    async def write_status(self, stored: StoredObject[AnyObject], status: Status) -> None:
        """Writes nothing if the object has changed since: then it is already enqueued again."""
        if status == stored.item.status or self._cache.objects.get(stored.key) != stored:
            return
        item = stored.item.model_copy(update={"status": status})
        self._events.object_changed(stored, replace(stored, item=item, version=self._version()))
        self.changed.set()

    async def write_slice(self, base: StoredObject[BaseModel], item: AdapterSlice, before: StoredSlice | None) -> None:
        self._events.slice_changed(before, StoredSlice(item, self._version()))
        self.changed.set()

    async def delete_slice(self, name: str) -> None:
        self._events.slice_changed(self._cache.slices.stored.get(name), None)
        self.changed.set()

    async def secret(self, namespace: str, name: str) -> Mapping[str, str] | None:
        return self.contents.secrets.get((namespace, name))

    async def claim_namespace(self, stored: StoredObject[Tenant]) -> bool:
        """Always True: local processes need no closed namespace, and removing a tenant's file removes it at once."""
        return True

    async def make(self, adapter: Adapter) -> None:
        if adapter.key in self._cache.objects:
            return
        with suppress(FileExistsError):
            await asyncio.to_thread(object_files.write, object_files.path_of(self._root, adapter), adapter)

    async def delete(self, stored: StoredObject[AnyObject]) -> None:
        """Deletes nothing of a deleted tenant: files belong to their author."""

    async def finish_offboarding(self, stored: StoredObject[Tenant], proof: Mapping[str, str] | None) -> None:
        """Nothing to do: the tenant's data is removed with its objects."""

    def _version(self) -> str:
        return str(next(self._versions))
