"""Recordings to windows and back: every format, the splits, resampling, and what cannot be used."""

import shutil
import sys
import zipfile

import numpy as np
import pytest
import soundfile

from counterpoint.commands.pictures import draw, keep, titled
from counterpoint.data import load, load_npz, save_npz, speech
from counterpoint.data.mending import mended
from counterpoint.data.speech import read
from counterpoint.data.views import Audio
from counterpoint.distributions.discretised import spacing
from counterpoint.errors import CounterpointError

RATE = 8000


def sound(seed: int, count: int = 1000) -> np.ndarray:
    """(n,) int16 that no two calls share."""
    return np.random.default_rng(seed).integers(-3000, 3000, count).astype(np.int16)


def write(path, samples, rate=RATE, **form) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **{"format": "WAV", "subtype": "PCM_16"} | form)


@pytest.fixture
def folder(tmp_path):
    """Five speakers with two recordings each."""
    for speaker in range(5):
        for take in range(2):
            write(tmp_path / "in" / f"speaker{speaker}" / f"{take}.wav", sound(10 * speaker + take, 1000 + 50 * take))
    return tmp_path / "in"


def test_windows_are_normalised_by_the_training_samples_and_come_back(folder):
    corpus = speech(folder)
    heard = {r.name: r.samples for r in read(folder)[0]}
    train = np.concatenate([heard[name] for name in corpus.train.names]).astype(float)
    view = corpus.view
    assert (view.mean, view.deviation) == pytest.approx((train.mean(), train.std()), rel=1e-12)
    assert (corpus.kind, corpus.train.event, corpus.seconds, view.rate) == ("real", (200,), 200 / RATE, RATE)
    for part in (corpus.train, corpus.valid, corpus.test):
        for name, x in zip(part.names, part.x):
            assert x.dtype == np.float32
            np.testing.assert_array_equal(view.samples(x), heard[name][:1000])  # 50 samples more are no window
    assert spacing(np.concatenate(corpus.train.x)) == pytest.approx(1 / view.deviation, rel=1e-6)


def test_of_stereo_the_mean_is_taken(tmp_path):
    left, right = 2 * (sound(1) // 2), 2 * (sound(2) // 2)
    write(tmp_path / "a.wav", np.stack([left, right], 1))
    write(tmp_path / "b.wav", left)
    heard = {r.name: r.samples for r in read(tmp_path)[0]}
    np.testing.assert_array_equal(heard["a"], left // 2 + right // 2)
    np.testing.assert_array_equal(heard["b"], left)


def test_no_speaker_is_in_two_splits(folder):
    corpus = speech(folder)
    who = [{name.split("/")[0] for name in part.names} for part in (corpus.train, corpus.valid, corpus.test)]
    assert [len(w) for w in who] == [3, 1, 1]
    assert len(set.union(*who)) == 5
    assert all(len(part) == 2 * len(w) for part, w in zip((corpus.train, corpus.valid, corpus.test), who))


def test_a_zip_is_as_good_as_a_folder_and_load_takes_both(folder, tmp_path):
    (folder / "speaker0" / "0.txt").write_text("what was said")  # as TIMIT has it: still no folder of texts
    shutil.make_archive(str(tmp_path / "in"), "zip", folder)
    one, two = load(folder), load(tmp_path / "in.zip")
    for part in ("train", "valid", "test"):
        a, b = (dict(zip(getattr(c, part).names, getattr(c, part).x)) for c in (one, two))
        assert a.keys() == b.keys()
        assert all(np.array_equal(a[name], b[name]) for name in a)


@pytest.fixture
def timit(tmp_path):
    """The folders of the real TIMIT: SPHERE files that are named .WAV, beside texts; 20 training speakers."""
    top = tmp_path / "TIMIT"
    for split, count in (("TRAIN", 20), ("TEST", 3)):
        for i in range(count):
            for sentence in ("SA1", "SX7"):
                place = top / split / f"DR{1 + i % 3}" / f"{split[0]}SPK{i}"
                write(place / f"{sentence}.WAV", sound(i, 400), 16000, format="NIST")
                (place / f"{sentence}.TXT").write_text("0 400 She had")
    return top


def test_a_folder_of_timit_has_its_own_split_and_validates_on_speakers(timit):
    assert next(timit.rglob("*.WAV")).read_bytes().startswith(b"NIST_1A")
    shutil.copy(timit / "TRAIN/DR1/TSPK0/SA1.WAV", timit / "TRAIN/DR1/TSPK0/SA1.WAV.wav")  # as some copies have it
    shutil.copytree(timit / "TRAIN/DR1/TSPK0", timit / "DOC")  # in neither split
    corpus = load(timit)
    assert [len(part) for part in (corpus.train, corpus.valid, corpus.test)] == [38, 2, 6]
    speaker = lambda name: name.split("/")[2]
    held = {speaker(name) for name in corpus.valid.names}
    assert len(held) == 1
    assert held.isdisjoint(map(speaker, corpus.train.names))
    assert all(name.startswith("TEST/") for name in corpus.test.names)
    assert corpus.view.rate == 16000


def test_a_header_as_timit_has_it(tmp_path):
    samples = sound(0, 400)
    header = "NIST_1A\n   1024\ndatabase_id -s5 TIMIT\ndatabase_version -s3 1.0\nutterance_id -s8 cjf0_sa1\n"
    header += "channel_count -i 1\nsample_count -i 400\nsample_rate -i 16000\nsample_min -i -3000\nsample_max -i 3000\n"
    header += "sample_n_bytes -i 2\nsample_byte_format -s2 01\nsample_sig_bits -i 16\nend_head\n"
    (tmp_path / "SA1.WAV").write_bytes(header.encode().ljust(1024) + samples.astype("<i2").tobytes())
    (heard,), rate = read(tmp_path)
    assert rate == 16000
    np.testing.assert_array_equal(heard.samples, samples)


def test_any_format_is_heard_at_sixteen_bits(tmp_path):
    samples = sound(0)
    exact = {"wav": ("WAV", "PCM_16"), "sph": ("NIST", "PCM_16"), "flac": ("FLAC", "PCM_16")}
    wider = {"wav24": ("WAV", "PCM_24"), "float": ("WAV", "FLOAT")}
    for name, (form, subtype) in (exact | wider).items():
        suffix = name if name in exact else "wav"
        given = samples if subtype != "FLOAT" else samples / 2**15
        write(tmp_path / name / f"a.{suffix}", given, format=form, subtype=subtype)
        (heard,), rate = read(tmp_path / name)
        assert rate == RATE
        np.testing.assert_array_equal(heard.samples, samples)


def test_resampling_keeps_the_pitch_and_is_only_done_when_asked(tmp_path):
    tone = lambda rate: (9000 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)).astype(np.int16)
    for i, rate in enumerate((8000, 11025, 16000)):
        write(tmp_path / "in" / f"{i}.wav", tone(rate), rate)
    with pytest.raises(CounterpointError, match=r"11025 samples a second, 0\.wav has 8000; give files of one rate"):
        speech(tmp_path / "in")
    corpus = speech(tmp_path / "in", rate=8000)
    assert corpus.view.rate == 8000
    for part in (corpus.train, corpus.valid, corpus.test):
        heard = corpus.view.samples(part.x[0])
        assert len(heard) == 8000
        power = np.abs(np.fft.rfft(heard)) ** 2
        assert power.argmax() == 500
        assert heard.astype(float).std() == pytest.approx(9000 / 2**0.5, rel=0.02)


def bad(name):
    def make(folder):
        path = folder / "speaker1" / "0.wav"
        if name == "nothing":
            path.write_bytes(b"")
        elif name == "other":
            path.write_bytes(b"RIFF of something else" * 9)
        elif name == "short":
            write(path, sound(1, 120))
        elif name == "nan":
            write(path, np.full(1000, np.nan), subtype="FLOAT")
        elif name == "silent":
            for file in folder.rglob("*.wav"):
                write(file, np.zeros(1000, np.int16))
        elif name == "two speakers":
            for i in (2, 3, 4):
                shutil.rmtree(folder / f"speaker{i}")
        elif name == "no valid":
            (folder / "speaker1").rename(folder / "train")
            (folder / "speaker2").rename(folder / "test")
            (folder / "valid").mkdir()
            (folder / "train" / "0.wav").unlink()

    return make


BAD = {
    "nothing": "speaker1/0.wav cannot be read as sound",
    "other": "speaker1/0.wav cannot be read as sound",
    "short": "speaker1/0 has 120 samples, fewer than a window of 200; leave it out",
    "nan": "speaker1/0.wav has NaN or infinity",
    "silent": "the recordings that train are silent",
    "two speakers": "has 2 folders of recordings, one for each speaker; give 3 or more",
    "no valid": "no recordings to train with",
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used(name, folder):
    bad(name)(folder)
    with pytest.raises(CounterpointError, match=BAD[name]) as caught:
        speech(folder)
    assert "\n" not in str(caught.value)


def test_what_is_no_recording(tmp_path):
    with pytest.raises(CounterpointError, match=r"has no recordings; give files that end in \.wav, \.sph, \.flac"):
        speech(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../out.wav", b"RIFF")
    with pytest.raises(CounterpointError, match="leads out of it"):
        speech(tmp_path / "a.zip")
    with pytest.raises(CounterpointError, match=r"timit_sample\.zip is missing"):
        load("timit_sample", tmp_path)


def test_without_the_libraries_one_line_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.signal", None)
    with pytest.raises(CounterpointError, match=r"needs scipy, .* pip install 'counterpoint\[speech\]'"):
        speech(folder, rate=4000)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(CounterpointError, match=r"needs soundfile, .* pip install 'counterpoint\[speech\]'"):
        speech(folder)


def test_a_corpus_of_sound_comes_back_from_npz(folder, tmp_path):
    corpus = speech(folder)
    save_npz(tmp_path / "mine.npz", corpus)
    again = load_npz(tmp_path / "mine.npz")
    assert again.view == corpus.view
    np.testing.assert_array_equal(again.test.x[0], corpus.test.x[0])
    np.savez(tmp_path / "odd.npz", x=np.ones((4, 3, 2)), audio=np.array([8000.0, 0.0, -1.0]))
    with pytest.raises(CounterpointError, match="audio is not three numbers"):
        load_npz(tmp_path / "odd.npz")


def test_what_a_model_made_is_written_as_it_would_sound(folder, tmp_path):
    corpus = speech(folder)
    made = [corpus.test.x[0], np.full((2, 200), 1e6, np.float32)]
    files = keep(corpus, titled(made), tmp_path / "new.wav")
    assert [f.name for f in files] == ["new-1.wav", "new-2.wav"]
    heard, rate = soundfile.read(files[0], dtype="int16")
    assert rate == RATE
    np.testing.assert_array_equal(heard, corpus.view.samples(made[0]))
    assert (soundfile.read(files[1], dtype="int16")[0] == 32767).all()  # too loud is cut, not wrapped round
    draw(corpus, {"data": made[0], "made": made[1]}, tmp_path / "new.png")
    assert (tmp_path / "new.png").stat().st_size > 10_000


def test_missing_samples_are_silent():
    assert Audio(8000, 5.0, 10.0).samples(np.array([[np.nan, 1.0]])).tolist() == [0, 15]


def test_bytes_that_a_conversion_of_line_ends_took_are_found():
    t = np.arange(30_000)
    loud = 1 + np.sin(2 * np.pi * t / 9000)
    whole = (1500 * loud * np.sin(2 * np.pi * t / 90) + np.random.default_rng(0).normal(0, 30, len(t))).astype("<i2")
    data = whole.tobytes()
    damaged = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lost = len(data) - len(damaged)
    assert lost >= 2
    before = np.frombuffer(damaged[: len(damaged) // 2 * 2], "<i2")
    after = mended(before)
    assert before.astype(float).std() > 3 * whole.astype(float).std()
    count = min(len(after), len(whole))
    assert count >= len(whole) - 1
    off = after[:count].astype(int) - whole[:count]
    assert np.isin(off, (0, -3, -768, -771)).mean() > 0.999  # but for a sample or two beside a lost byte
    np.testing.assert_array_equal(mended(before[:300]), before[:300])  # nothing was lost there


@pytest.mark.corpus
def test_the_sample_of_timit(corpora):
    corpus = load("timit_sample", corpora)
    assert [len(part) for part in (corpus.train, corpus.valid, corpus.test)] == [120, 20, 20]
    assert {name.split("/")[1][:3] for name in corpus.test.names} == {"dr8"}
    assert corpus.view.rate == 16000
    assert 500 < corpus.view.deviation < 600  # the real TIMIT: 548; before it was mended 5895
    assert sum(part.lengths.sum() for part in (corpus.train, corpus.valid, corpus.test)) == 39123


@pytest.mark.corpus
def test_spoken_digits(corpora):
    corpus = load("fsdd", corpora)
    assert [len(part) for part in (corpus.train, corpus.valid, corpus.test)] == [2000, 500, 500]
    assert {name.split("_")[1] for name in corpus.test.names} == {"yweweler"}
    assert corpus.seconds == 200 / 8000
