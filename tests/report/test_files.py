import errno
import subprocess
import sys

import pytest

from counterpoint.errors import CounterpointError
from counterpoint.files import alone, make_room, replacing


def write_half(path):
    with replacing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt


def test_a_file_cut_short_leaves_the_old_one(tmp_path):
    path = tmp_path / "new" / "a.bin"
    with replacing(path) as file:
        file.write(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_an_impossible_place_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CounterpointError, match="cannot write"), replacing(tmp_path / "file" / "a.bin"):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(CounterpointError, match="name a place that can be written"):
        make_room(tmp_path / "file" / "a.csv")
    make_room(tmp_path / "new" / "a.csv")
    assert not list((tmp_path / "new").iterdir())
    with pytest.raises(CounterpointError, match="cannot write"), replacing(tmp_path / "folder"):
        pass
    assert {p.name for p in tmp_path.iterdir()} == {"file", "folder", "new"}


def test_a_full_disk_is_one_clear_line(tmp_path):
    def fill():
        with replacing(tmp_path / "a.bin"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CounterpointError, match=r"cannot write .*a\.bin: No space left"):
        fill()
    assert not list(tmp_path.iterdir())


def test_a_folder_lets_one_process_in(tmp_path):
    code = "import sys; from pathlib import Path; from counterpoint.files import alone\n"
    code += "with alone(Path(sys.argv[1])): pass"
    other = lambda: subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    with alone(tmp_path):
        assert "another process is at work" in other().stderr
    assert other().returncode == 0
