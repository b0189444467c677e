"""Credentials from the pod's own identity, for the platform's buckets: they need no keys in a Secret.

AWS: the pod's role and token from EKS, exchanged at STS
(https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html). Google Cloud: the metadata
server's token (https://cloud.google.com/compute/docs/access/authenticate-workloads).
"""

import asyncio
import json
import re
from urllib.parse import urlencode

from yarl import URL

from serving.agent.errors import UnavailableError
from serving.agent.sources.credentials import Credentials
from serving.agent.sources.http import Client
from serving.agent.sources.identity import ACCESS_TOKEN, WorkloadIdentity
from serving.agent.sources.request import Access, Request

_NO_ACCESS = Access(("the pod's service account",), ())
_STS = "https://sts.{region}.amazonaws.com"
_TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
_ELEMENTS = ("AccessKeyId", "SecretAccessKey", "SessionToken")


async def google(client: Client, workload: WorkloadIdentity) -> Credentials:
    """Raises UnavailableError if the cloud gives no credentials; so does `aws`."""
    request = Request(URL(f"{workload.metadata}{_TOKEN_PATH}"), {"Metadata-Flavor": "Google"}, _NO_ACCESS)
    _, body = await client.document(request)
    try:
        match json.loads(body):
            case {"access_token": str(token)} if token.isprintable():
                return Credentials({ACCESS_TOKEN: token})
    except (ValueError, RecursionError):
        pass
    raise UnavailableError("AnswerInvalid", f"{client.name}: the metadata server gives no token; it is tried again")


async def aws(client: Client, workload: WorkloadIdentity) -> Credentials:
    if not workload.role or workload.token_file is None:
        raise UnavailableError(
            "NoIdentity",
            f"{client.name}: this pod has no role on AWS; give the account in engine.serviceAccountName one",
        )
    try:
        token = (await asyncio.to_thread(workload.token_file.read_text)).strip()
    except OSError as error:
        message = f"{client.name}: the pod's token cannot be read: {error.strerror}"
        raise UnavailableError("NoIdentity", message) from error
    form = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": workload.role,
            "RoleSessionName": "quiver-agent", "WebIdentityToken": token}  # fmt: skip
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = URL(workload.sts or _STS.format(region=workload.region))
    _, body = await client.document(Request(url, headers, _NO_ACCESS, urlencode(form).encode()))
    return Credentials(_session(client.name, body.decode(errors="replace")) | {"AWS_REGION": workload.region})


def _session(name: str, answer: str) -> dict[str, str]:
    """STS answers in XML; three elements matter."""
    matches = [re.search(rf"<{element}>([^<\s]{{1,16384}})</{element}>", answer) for element in _ELEMENTS]
    if not all(matches):
        raise UnavailableError("AnswerInvalid", f"{name}: STS answers without credentials; it is tried again")
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return {key: match[1] for key, match in zip(keys, matches, strict=True) if match}
