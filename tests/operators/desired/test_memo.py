"""A value is made once for what did not change."""

from contract.resource import Key
from operators.desired.memo import Memo

KEY = Key(kind="Adapter", namespace="acme", name="support")


def test_a_value_is_made_again_only_for_another_object_or_other_facts() -> None:
    memo, calls = Memo[int](), list[int]()

    def make() -> int:
        calls.append(1)
        return len(calls)

    def value(of: object, facts: object) -> int:
        return memo.get(KEY, "active", of, facts, make)

    first, second = ["a"], ["a"]
    assert [value(first, (1,)), value(first, (1,)), value(second, (1,)), value(second, (2,))] == [1, 1, 2, 3]
    memo.forget(KEY)
    assert value(second, (2,)) == 4
