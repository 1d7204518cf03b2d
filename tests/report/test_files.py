import pytest

from counterpoint.errors import CounterpointError
from counterpoint.files import replacing


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
    with pytest.raises(CounterpointError, match="cannot write"), replacing(tmp_path / "folder"):
        pass
    assert {p.name for p in tmp_path.iterdir()} == {"file", "folder"}
