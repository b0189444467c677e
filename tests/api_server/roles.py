"""The chart's roles, given to the users that a test's processes come as."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.api_server.parts import PLATFORM
from tests.api_server.server import ApiServer

TEMPLATES = Path(__file__).parents[2] / "charts/quiver/templates"
# What has these is not a verb of any request: it is asked for beside one.
SILENT_VERBS = frozenset({"bind"})
SILENT_RESOURCES = frozenset({"basemodels/finalizers", "tenants/finalizers"})

Grant = tuple[str, str, str]


def documents(part: str, file: str = "rbac.yaml") -> list[dict[str, Any]]:
    text = (TEMPLATES / part / file).read_text().replace("{{ .Release.Namespace }}", PLATFORM)
    return list(yaml.safe_load_all("\n".join(line for line in text.splitlines() if not line.startswith("{{"))))


def grant(server: ApiServer, part: str, *users: str, file: str = "rbac.yaml") -> None:
    """Applies the roles of a part, for users in place of its service account."""
    found = documents(part, file)
    for item in found:
        if "subjects" in item and item["roleRef"]["name"].startswith(f"quiver-{part}"):
            item["subjects"] = [
                {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user} for user in users
            ]
    server.apply(*found)


def granted(part: str, file: str = "rbac.yaml") -> set[Grant]:
    """Group, resource and verb of every right that a part's requests can make use of."""
    items = (item for item in documents(part, file) if "rules" in item)
    roles = (item for item in items if item["metadata"]["name"].startswith(f"quiver-{part}"))
    return {
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if verb not in SILENT_VERBS and resource not in SILENT_RESOURCES
    }


def used(server: ApiServer, *users: str) -> Iterator[Grant]:
    """As the audit log has it. An apply that makes an object is a creation, too."""
    for event in server.events():
        place = event.get("objectRef")
        if not place or event["user"]["username"] not in users:
            continue
        resource = "/".join(filter(None, (place["resource"], place.get("subresource"))))
        yield place.get("apiGroup", ""), resource, event["verb"]
        if event["verb"] == "patch" and event.get("responseStatus", {}).get("code") == 201:
            yield place.get("apiGroup", ""), resource, "create"


def refused(server: ApiServer, *users: str) -> list[str]:
    return [
        f"{event['verb']} {event['requestURI']}"
        for event in server.events()
        if event["user"]["username"] in users and event.get("responseStatus", {}).get("code") == 403
    ]
