"""Where the output goes that a configuration names."""

from pathlib import Path

import pytest

from conftest import Say


def test_an_output_that_a_file_names_is_beside_that_file(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    above, deep = tmp_path / "above", tmp_path / "above" / "deep"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    (above / "pdfingest.toml").write_text('output = "results"\nfiles-from = "list.txt"\n')
    (above / "list.txt").write_text(f"{deep / 'nowhere.pdf'}\n")
    assert say("run").code == 1
    assert sorted(path.name for path in above.iterdir()) == [
        "deep", "list.txt", "pdfingest.toml", "results",
    ]  # fmt: skip
    (above / "pdfingest.toml").write_text('output = "-"\nfiles-from = "list.txt"\n')
    assert say("run").code == 1
    assert not [*deep.iterdir()]
