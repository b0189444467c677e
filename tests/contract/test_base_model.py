from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from contract.base_model import Resources


@pytest.mark.parametrize(
    ("written", "read"),
    [("1", "1"), ("0.5", "0.5"), ("4.0", "4"), ("1e9", "1e9"), ("'64Gi'", "64Gi"), ("100m", "100m"), ("2E", "2E"),
     (".5", "0.5"), ("1000000000", "1000000000")],
)  # fmt: skip
def test_a_quantity_is_read_as_yaml_has_it(written: str, read: str) -> None:
    limits: Any = yaml.safe_load(f"nvidia.com/gpu: {written}")
    assert Resources(limits=limits).limits == {"nvidia.com/gpu": read}


@pytest.mark.parametrize("written", ["-1", "true", "'4 cores'", "1gb", "''", ".nan", ".inf"])
def test_what_is_no_quantity_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        Resources(limits=yaml.safe_load(f"cpu: {written}"))
