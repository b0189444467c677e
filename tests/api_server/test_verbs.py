"""The last of this folder: what its operators and gateways asked for is what the chart lets them ask for, all of it."""

import pytest

from tests.api_server.roles import granted, refused, used
from tests.api_server.server import ApiServer

# Each asks for what the others do not.
NEEDED = ("test_faults.py", "test_objects.py", "test_serving.py", "test_trainings.py")


@pytest.fixture(autouse=True)
def _all_ran(request: pytest.FixtureRequest) -> None:
    ran = {item.path.name for item in request.session.items}
    if not ran.issuperset(NEEDED):
        pytest.skip("says something only of a run of the whole folder")


@pytest.mark.parametrize(("part", "users"), [("operator", ("operator", "other")), ("gateway", ("gateway",))])
def test_the_verbs_of_the_chart_are_the_verbs_in_use(server: ApiServer, part: str, users: tuple[str, ...]) -> None:
    assert refused(server, *users) == []
    assert set(used(server, *users)) == granted(part)
