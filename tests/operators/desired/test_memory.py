"""A value is made once for what did not change."""

from contract.resource import Key
from operators.desired.memory import Memory

KEY = Key(kind="Adapter", namespace="acme", name="support")


def test_a_value_is_made_again_only_for_another_object_or_other_facts() -> None:
    memory, made = Memory[int](), list[int]()

    def make() -> int:
        made.append(1)
        return len(made)

    def recalled(of: object, facts: object) -> int:
        return memory.recalled(KEY, "active", of, facts, make)

    first, second = ["a"], ["a"]
    assert [recalled(first, (1,)), recalled(first, (1,)), recalled(second, (1,)), recalled(second, (2,))] == [
        1,
        1,
        2,
        3,
    ]
    memory.forget(KEY)
    assert recalled(second, (2,)) == 4
