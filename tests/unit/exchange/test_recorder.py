from pathlib import Path

from pdfingest.exchange.recorder import Playback, Recorder


def test_the_newest_note_is_read(tmp_path: Path) -> None:
    playback = Playback(str(tmp_path / "recorder"))
    assert playback.read(7) is None
    recorder = Recorder(playback.path, 7)
    opening = playback.read(7)
    assert opening is not None
    assert (opening.page, opening.total_pages) == (0, 0)
    for page in (1, 2, 3):
        recorder.note(1, page, 9, 100 * page)
    note = playback.read(7)
    assert note is not None
    assert (note.engine, note.page, note.total_pages, note.spool_bytes) == (1, 3, 9, 300)
    assert note.at_s >= opening.at_s
    assert playback.read(8) is None
    playback.close()
