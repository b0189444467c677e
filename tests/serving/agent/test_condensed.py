import json
from pathlib import Path

from benchmarks.hostile import SMALL, config, pair, weights, write
from serving.agent import adapter_config, condensed
from serving.agent.adapter_config import CONFIG
from serving.agent.weights import WEIGHTS


def test_an_adapter_with_few_patterns_is_loaded_as_it_came(tmp_path: Path) -> None:
    directory = write(tmp_path, settings=config(rank_pattern={"q_proj": 8}))
    condensed.write(directory)
    assert condensed.path(directory) == directory


def test_many_patterns_become_one_for_each_value_and_mean_the_same(tmp_path: Path) -> None:
    others = {f"model.layers.{layer}.mlp.up_proj": 2 for layer in range(100)}
    settings = config(rank_pattern={**others, "q_proj": 4}, alpha_pattern={r"layers\.\d+\..*q_proj": 3.5, **others})
    directory = write(tmp_path, settings=settings, content=weights(pair(rank=4)))
    for _ in range(2):  # what is there from before is replaced
        condensed.write(directory)
    small = condensed.path(directory)
    assert json.loads((small / CONFIG).read_text())["rank_pattern"] == {
        rf"^(?:{SMALL.module.replace('.', chr(92) + '.')})": 4
    }
    before = adapter_config.read(directory / CONFIG).trainings([SMALL.module])
    assert adapter_config.read(small / CONFIG).trainings([SMALL.module]) == before
    assert (small / WEIGHTS).samefile(directory / WEIGHTS)


def test_names_of_one_value_share_a_pattern() -> None:
    assert condensed.by_value({"a.q": 4, "b.q": 8, "c.q": 4}) == {r"^(?:a\.q|c\.q)": 4, r"^(?:b\.q)": 8}
