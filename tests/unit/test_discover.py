from pdfingest.discover import discover


def test_a_listed_path_that_no_system_takes_is_a_source_that_cannot_be_read() -> None:
    ((source, stat),) = discover([], ["a\0b.pdf"])
    assert (source.error, stat) == ("its name holds a NUL", None)
