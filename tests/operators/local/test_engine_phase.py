from operators.local.engine_phase import BEFORE, PHASES, phase


def test_an_engine_is_where_its_last_known_line_says() -> None:
    assert phase("") == BEFORE
    log = ""
    for line, doing in PHASES:
        log += f"(APIServer pid=7) INFO 11-28 05:18:59 [model.py:1] {line} …\nsomething else\n"
        assert phase(log) == doing


def test_a_line_that_another_version_does_not_write_is_skipped() -> None:
    assert phase("Starting to load model /m") == "loading the weights"
