"""Against moto's S3 with authentication enforced, and the example that AWS publishes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import boto3
import moto.settings
import pytest
from moto.core.authorization import ActionAuthenticatorMixin
from moto.server import ThreadedMotoServer

from serving.agent.adapter_config import CONFIG
from serving.agent.sources.credentials import Credentials
from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.http import Client, trust
from serving.agent.sources.kind import Fetch
from serving.agent.sources.kinds.s3 import S3Source
from serving.agent.sources.policy import Policy
from serving.agent.verify import FILES
from serving.agent.weights import WEIGHTS
from tests.serving.agent.sources.attempt import refused, unavailable
from tests.serving.agent.sources.conftest import SIZE
from tests.serving.agent.sources.servers import line

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
PREFIX = "team a/ünï+code"
SOURCE = f"s3://adapters/{PREFIX}"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class Bucket:
    port: int
    key: str
    secret: str

    def credentials(self, **changes: str) -> dict[str, str]:
        mine = {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
        }
        return mine | changes


@pytest.fixture(scope="module")
def account() -> Iterator[Bucket]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    root = {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region_name": "us-east-1",
        "aws_access_key_id": "root",
        "aws_secret_access_key": "root",
    }
    iam = boto3.client("iam", **root)
    iam.create_user(UserName="agent")
    iam.put_user_policy(UserName="agent", PolicyName="read", PolicyDocument=POLICY)
    made = iam.create_access_key(UserName="agent")["AccessKey"]
    boto3.client("s3", **root).create_bucket(Bucket="adapters")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moto.settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
        patch.setattr(ActionAuthenticatorMixin, "request_count", 0)
        yield Bucket(port, made["AccessKeyId"], made["SecretAccessKey"])
    server.stop()


@pytest.fixture
async def bucket(account: Bucket, artifact: Path) -> AsyncIterator[Bucket]:
    """Holds the artifact under PREFIX."""
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{account.port}",
        region_name="eu-west-1",
        aws_access_key_id=account.key,
        aws_secret_access_key=account.secret,
    )
    for name in FILES:
        await asyncio.to_thread(s3.upload_file, str(artifact / name), "adapters", f"{PREFIX}/{name}")
    yield account
    for name in FILES:
        await asyncio.to_thread(s3.delete_object, Bucket="adapters", Key=f"{PREFIX}/{name}")
    s3.close()


async def test_a_prefix_is_fetched_with_the_right_keys(
    policy: Policy, bucket: Bucket, into: Path, fetched: Callable[[], bool]
) -> None:
    await Fetcher(policy).fetch(SOURCE, into, bucket.credentials())
    assert fetched()


@pytest.mark.parametrize("wrong", [{"AWS_SECRET_ACCESS_KEY": "wrong"}, {"AWS_ACCESS_KEY_ID": "AKIAWRONG"}])
async def test_a_wrong_key_is_refused(policy: Policy, bucket: Bucket, into: Path, wrong: dict[str, str]) -> None:
    error = await refused(policy, SOURCE, into, bucket.credentials(**wrong))
    assert error.reason == "AccessDenied"
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY was given" in error.message


async def test_a_private_bucket_without_keys_is_refused(policy: Policy, bucket: Bucket, into: Path) -> None:
    error = await refused(policy, SOURCE, into, {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{bucket.port}"})
    assert error.reason == "AccessDenied"
    assert "no AWS_ACCESS_KEY_ID" in error.message


@pytest.mark.parametrize("source", ["s3://adapters/absent", "s3://no-such-bucket/a"])
async def test_a_prefix_that_is_not_there_is_missing(policy: Policy, bucket: Bucket, into: Path, source: str) -> None:
    assert (await refused(policy, source, into, bucket.credentials())).reason == "SourceMissing"


async def test_an_object_that_was_overwritten_meanwhile_is_fetched_anew(
    policy: Policy, bucket: Bucket, into: Path, artifact: Path, fetched: Callable[[], bool]
) -> None:
    async with line(bucket.port) as cut:
        cut.cut_after = SIZE * 2 // 3
        await unavailable(policy, SOURCE, into, bucket.credentials(AWS_ENDPOINT_URL=f"http://127.0.0.1:{cut.port}"))
    (artifact / WEIGHTS).write_bytes(b"y" * SIZE)
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{bucket.port}",
        region_name="eu-west-1",
        aws_access_key_id=bucket.key,
        aws_secret_access_key=bucket.secret,
    )
    await asyncio.to_thread(s3.upload_file, str(artifact / WEIGHTS), "adapters", f"{PREFIX}/{WEIGHTS}")
    await Fetcher(policy).fetch(SOURCE, into, bucket.credentials())
    assert fetched()


async def _headers(policy: Policy, **values: str) -> tuple[str, dict[str, str]]:
    tls = trust(policy)
    fetch = Fetch("s3://bucket/a", {CONFIG: Path("part")}, Credentials(values), policy, tls, NOW)
    async with Client(policy, tls, fetch.name) as client:
        request = (await S3Source("bucket", "a").remotes(client, fetch))[CONFIG].request
    return str(request.url), {name.lower(): value for name, value in request.headers.items()}


async def test_without_keys_nothing_is_signed_and_the_region_names_the_host(policy: Policy) -> None:
    assert await _headers(policy) == (f"https://s3.us-east-1.amazonaws.com/bucket/a/{CONFIG}", {})
    url, _ = await _headers(policy, AWS_REGION="eu-west-1")
    assert url.startswith("https://s3.eu-west-1.amazonaws.com/")


async def test_a_session_s_token_is_sent_and_signed(policy: Policy) -> None:
    _, headers = await _headers(policy, AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY="b", AWS_SESSION_TOKEN="t")
    assert headers["x-amz-security-token"] == "t"
    assert "x-amz-date;x-amz-security-token," in headers["authorization"]


@pytest.mark.parametrize(
    ("credentials", "reason"),
    [
        ({"AWS_ACCESS_KEY_ID": "A"}, "CredentialInvalid"),
        ({"AWS_SECRET_ACCESS_KEY": "b"}, "CredentialInvalid"),
        ({"AWS_ENDPOINT_URL": "https://["}, "CredentialInvalid"),
        ({"AWS_ENDPOINT_URL": "localhost:9000"}, "NotEncrypted"),
        ({"AWS_ENDPOINT_URL": "https://host:99999"}, "UrlInvalid"),
        ({"AWS_REGION": "evil.example/x?"}, "CredentialInvalid"),
    ],
)
async def test_credentials_that_cannot_be_right_are_refused(
    policy: Policy, into: Path, credentials: dict[str, str], reason: str
) -> None:
    assert (await refused(policy, "s3://bucket/a", into, credentials)).reason == reason
