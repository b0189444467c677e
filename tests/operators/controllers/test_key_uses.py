"""What gateways report of a key's use reaches its status, in steps, and survives a gateway that has forgotten."""

from datetime import timedelta

from contract.api_key import APIKey
from contract.gateway import KeyUses
from operators.reconcile.tenant import LAST_USED
from tests.operators import objects
from tests.operators.controllers.loop import BEGIN, Loop

DIGEST = "0" * 64


def _loop() -> Loop:
    loop = Loop()
    loop.files_say([objects.tenant("acme"), objects.api_key(sha256=DIGEST)])
    return loop.settle()


def _key(loop: Loop) -> APIKey:
    (key,) = loop.objects.api_keys
    return key


def _used(loop: Loop, after: timedelta) -> Loop:
    loop.events.keys_used(KeyUses(last={"acme": {DIGEST: BEGIN + after}}))
    return loop.settle()


def test_a_use_is_in_the_status() -> None:
    loop = _loop()
    assert _key(loop).status.last_used is None
    assert _key(_used(loop, timedelta(seconds=5.5))).status.last_used == BEGIN + timedelta(seconds=5)


def test_the_next_use_is_written_once_it_is_much_later() -> None:
    loop = _used(_loop(), timedelta())
    generation = loop.snapshot.generation
    _used(loop, LAST_USED - timedelta(seconds=1))
    assert _key(loop).status.last_used == BEGIN
    assert loop.snapshot.generation == generation
    assert _key(_used(loop, LAST_USED)).status.last_used == BEGIN + LAST_USED


def test_the_older_report_of_another_gateway_changes_nothing() -> None:
    loop = _used(_loop(), LAST_USED)
    assert _key(_used(loop, timedelta())).status.last_used == BEGIN + LAST_USED


def test_uses_of_keys_that_are_gone_are_dropped() -> None:
    loop = _used(_loop(), timedelta())
    loop.files_say([objects.tenant("acme")])
    loop.settle()
    assert loop.cache.key_uses == {}
    _used(loop, timedelta(hours=1))
    assert loop.cache.key_uses == {}
