"""Skeletons and motions: read as written, turned as an independent implementation turns them, refused by line."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from counterpoint.data import amc_folder, load, read_amc, read_asf, save_npz
from counterpoint.data.motion import rotation
from counterpoint.data.packed import cut, read_npz
from counterpoint.errors import CounterpointError

ASF = """# a torso with two arms, bones not in the order of the hierarchy
:version 1.10
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
  two arms, one hand
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 1 2 3
   orientation 0 30 0
:bonedata
  begin
     id 1
     name torso
     direction 0 1 0
     length 2
     axis 10 0 20 XYZ
     dof rx ry rz
     limits (-160.0 20.0)
            (-70.0 70.0)
            (-60.0 70.0)
  end
  begin
     id 2
     name hand
     direction 0 0.6 0.8
     length 0.5
     axis 0 40 0 ZYX
     dof rx rz
  end
  begin
     id 3
     name left
     direction 1 0 0
     length 1.5
     axis 0 0 0 XYZ
  end
  begin
     id 4
     name right
     direction -1 0 0
     length 1.5
     axis 5 6 7 XYZ
     dof ry
  end
:hierarchy
  begin
    root torso
    torso left right
    left hand
  end
"""
BONES = {  # name: (parent, offset, axis, order, dof)
    "torso": ("root", (0, 2, 0), (10, 0, 20), "xyz", "xyz"),
    "left": ("torso", (1.5, 0, 0), (0, 0, 0), "xyz", ""),
    "hand": ("left", (0, 0.3, 0.4), (0, 40, 0), "zyx", "xz"),
    "right": ("torso", (-1.5, 0, 0), (5, 6, 7), "xyz", "y"),
}


def amc(skeleton, raw, start=1):
    """The text of a motion."""
    lines = ["#!OML:ASF", ":FULLY-SPECIFIED", ":DEGREES"]
    for t, row in enumerate(raw):
        lines.append(str(start + t))
        for joint in skeleton.joints:
            values = [v for name, v in zip(skeleton.channels, row) if name.rpartition("_")[0] == joint]
            if values:
                lines.append(" ".join([joint, *map(repr, map(float, values))]))
    return "\n".join(lines) + "\n"


@pytest.fixture
def asf(tmp_path):
    path = tmp_path / "one.asf"
    path.write_text(ASF.replace("\n", "\r\n"))  # as the CMU files come
    return path


def test_the_skeleton(asf):
    skeleton = read_asf(asf)
    assert skeleton.joints == ("root", "torso", "left", "hand", "right")
    assert skeleton.edges == ((0, 1), (1, 2), (2, 3), (1, 4))
    assert " ".join(skeleton.channels) == (
        "root_tx root_ty root_tz root_rx root_ry root_rz torso_rx torso_ry torso_rz hand_rx hand_rz right_ry"
    )


@pytest.mark.parametrize("order", ["xyz", "zyx", "yxz"])
def test_rotations_are_those_of_scipy(order):
    degrees = np.random.default_rng(0).uniform(-180, 180, (5, 3))
    taken = degrees[:, ["xyz".index(axis) for axis in order]]
    expected = Rotation.from_euler(order, taken, degrees=True).as_matrix()  # lower case: about fixed axes, first first
    np.testing.assert_allclose(rotation(degrees, order), expected, rtol=0, atol=1e-12)


def one_frame(frame):
    """Positions of the joints of BONES, by quaternions, bone after bone."""
    turn = lambda order, angles: Rotation.from_euler(order, [angles["xyz".index(a)] for a in order], degrees=True)
    at = lambda joint, kind: [frame.get(f"{joint}_{kind}{a}", 0.0) for a in "xyz"]
    c = turn("xyz", (0, 30, 0))
    turns = {"root": c * turn("xyz", at("root", "r")) * c.inv()}
    places = {"root": np.array([1.0, 2.0, 3.0]) + at("root", "t")}
    for name, (parent, offset, axis, order, _) in BONES.items():
        c = turn(order, axis)
        turns[name] = turns[parent] * c * turn(order, at(name, "r")) * c.inv()
        places[name] = places[parent] + turns[name].apply(offset)
    return places


def test_positions_against_a_slow_implementation(asf):
    skeleton = read_asf(asf)
    raw = np.random.default_rng(1).uniform(-90, 90, (6, len(skeleton.channels)))
    found = skeleton.positions(raw)
    for frame, expected in zip(found, (one_frame(dict(zip(skeleton.channels, row))) for row in raw)):
        np.testing.assert_allclose(frame, [expected[name] for name in skeleton.joints], rtol=0, atol=1e-12)
    rest = skeleton.positions(np.zeros((1, len(skeleton.channels))))[0]
    np.testing.assert_allclose(rest - rest[0], [(0, 0, 0), (0, 2, 0), (1.5, 2, 0), (1.5, 2.3, 0.4), (-1.5, 2, 0)])


def test_motions_are_read_back(asf, tmp_path):
    skeleton = read_asf(asf)
    raw = np.random.default_rng(2).normal(size=(5, 12))
    (tmp_path / "a.amc").write_text(amc(skeleton, raw, start=7))
    np.testing.assert_array_equal(read_amc(tmp_path / "a.amc", skeleton), raw)


def folder_of(asf, place, lengths, seed=3):
    """Motions m00, m01, ... beside the skeleton: root angles beyond half a turn, and a hand that hardly turns."""
    skeleton, rng, motions = read_asf(asf), np.random.default_rng(seed), {}
    for i, length in enumerate(lengths):
        raw = rng.normal(scale=90, size=(length, 12))
        raw[:, 3:6] = (raw[:, 3:6] + 180) % 360 - 180
        raw[:, 9] = 3.5
        motions[f"m{i:02}"] = raw
        (place / f"m{i:02}.amc").write_text(amc(skeleton, raw))
    return skeleton, motions


def test_a_folder_is_a_corpus(asf, tmp_path):
    skeleton, motions = folder_of(asf, tmp_path, range(90, 101))
    corpus = load(tmp_path)
    splits = (corpus.train, corpus.valid, corpus.test)
    assert [len(s) for s in splits] == [9, 1, 1]
    assert sorted(name for s in splits for name in s.names) == sorted(motions)
    for split in splits:
        for name, x in zip(split.names, split.x):
            raw = motions[name][::4]
            np.testing.assert_allclose(corpus.view.channels(x), raw, atol=1e-9)
            np.testing.assert_allclose(corpus.view.positions(x), skeleton.positions(raw), atol=1e-9)
    assert (corpus.kind, corpus.seconds, corpus.name) == ("real", 4 / 120, tmp_path.name)


def test_a_corpus_that_was_saved_has_its_skeleton(asf, tmp_path):
    folder_of(asf, tmp_path, range(90, 101))
    corpus = load(tmp_path)
    save_npz(tmp_path / "mine.npz", corpus)
    back = load(tmp_path / "mine.npz")
    x = corpus.test.x[0]
    np.testing.assert_array_equal(back.test.x[0], x)
    np.testing.assert_array_equal(back.view.positions(x), corpus.view.positions(x))
    assert back.view.skeleton.edges == corpus.view.skeleton.edges
    assert (back.name, back.kind, back.step, back.seconds) == (corpus.name, "real", "frame", corpus.seconds)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("skeleton_parents", np.array([0, 3, 1, 1]), "skeleton_parents do not come before their joints"),
        ("skeleton_orders", np.array(["xyz", "xxz", "xyz", "xyz", "xyz"]), "skeleton_orders are not orders"),
        ("skeleton_axes", np.zeros((5, 3)), r"skeleton_axes is not numbers, of shape \(5, 3, 3\)"),
        ("motion_columns", np.full(5, 99), "motion_columns are not among 12 channels"),
        ("motion_scale", np.full(14, np.nan), "motion_scale is not numbers"),
    ],
)
def test_a_skeleton_that_does_not_fit_is_refused(asf, tmp_path, key, value, text):
    folder_of(asf, tmp_path, [40, 40, 40])
    save_npz(tmp_path / "mine.npz", load(tmp_path))
    arrays = read_npz(tmp_path / "mine.npz")
    assert arrays[key].shape[:1] == value.shape[:1]
    np.savez(tmp_path / "bad.npz", **(arrays | {key: value}))
    with pytest.raises(CounterpointError, match=text):
        load(tmp_path / "bad.npz")


def test_features_are_scaled_by_what_trains_and_what_stands_still_is_left_out(asf, tmp_path):
    folder_of(asf, tmp_path, [40, 40, 40])
    corpus = amc_folder(tmp_path, every=1)
    train = np.concatenate(corpus.train.x)
    assert train.shape == (40, 14)  # 12 channels: 3, 3 sines and 3 cosines, 6 others of which one stands still
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(train.std(0), 1)
    assert abs(corpus.test.x[0].mean(0)).max() > 1e-3


def test_root_angles_do_not_jump(asf, tmp_path):
    skeleton = read_asf(asf)
    raw = np.zeros((40, 12))
    raw[:, 4] = (np.arange(40) * 10 + 180) % 360 - 180
    (tmp_path / "turn.amc").write_text(amc(skeleton, raw))
    corpus = amc_folder(tmp_path, every=1)
    x = np.concatenate([part.x[0] for part in (corpus.train, corpus.valid, corpus.test)])
    assert abs(np.diff(raw, axis=0)).max() == 350
    assert abs(np.diff(x, axis=0)).max() < 0.3
    np.testing.assert_allclose(corpus.view.channels(x), raw, atol=1e-9)
    assert np.isfinite(x).all()  # most features have no spread


def test_one_motion_or_two_are_cut_in_time(asf, tmp_path):
    _, motions = folder_of(asf, tmp_path, [40, 101])
    corpus = amc_folder(tmp_path, every=1)
    splits = (corpus.train, corpus.valid, corpus.test)
    assert [s.lengths.tolist() for s in splits] == [[32, 81], [4, 10], [4, 10]]
    for i, name in enumerate(("m00", "m01")):
        whole = np.concatenate([s.x[i] for s in splits])
        np.testing.assert_allclose(corpus.view.channels(whole), motions[name], atol=1e-9)
    with pytest.raises(CounterpointError, match=r"m00 has 4 frames \(one of 10\); give 10 or more, or 3 motions"):
        amc_folder(tmp_path, every=10)


def test_a_root_that_moves_otherwise_is_refused(asf, tmp_path):
    asf.write_text(ASF.replace("order TX TY TZ RX RY RZ", "order RX RY RZ TX TY TZ"))
    (tmp_path / "a.amc").write_text("")
    with pytest.raises(CounterpointError, match="the root's order must be TX TY TZ and then RX, RY and RZ"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":bonedata", ":bones", "has no section :bonedata; give an Acclaim skeleton"),
        ("direction 0 1 0", "direction 0 one 0", "line 18: direction is followed by 0 one 0; expected 3 numbers"),
        ("length 2", "length nan", "line 19: length is followed by nan; expected 1 numbers"),
        ("     length 2\n", "", "line 24: the bone that ends here has no length; expected name, direction"),
        ("dof rx rz", "dof rx l", "line 32: dof has l; expected some of rx ry rz"),
        ("dof rx rz", "dof rx rx", "line 32: dof has rx; expected some of rx ry rz, each once"),
        ("axis 0 40 0 ZYX", "axis 0 40 0 ZY", "line 31: axis has zy order of rotations"),
        ("angle deg", "angle rad", r"line 6: angles in rad; only degrees \(deg\) are read"),
        ("   axis XYZ\n", "", ":root has no axis; expected order, axis, position, orientation"),
        ("name right", "name left", "two bones are called left"),
        ("    left hand\n", "", "hand does not hang at the root"),
        ("    left hand", "    left hand right", "line 53: right has a place in the hierarchy already"),
        ("    left hand", "    left foot", "line 53: no bone is called foot; :bonedata has torso, hand"),
        ("    root torso", "    left torso", "torso does not hang at the root"),
        (":version 1.10", "version 1.10", "line 2: version stands before any section"),
    ],
)
def test_skeletons_that_are_refused(tmp_path, old, new, message):
    assert old in ASF
    (tmp_path / "bad.asf").write_text(ASF.replace(old, new, 1))
    with pytest.raises(CounterpointError, match=message) as caught:
        read_asf(tmp_path / "bad.asf")
    assert "bad.asf" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.replace("right", "wrong", 1), "line 8: the skeleton moves no wrong"),
        (lambda s: s.replace("right", "hand 1.0 2.0\nright", 1), "line 8: hand comes twice in a frame"),
        (lambda s: s.replace("right", "right 0.0", 1), "line 8: right has 2 numbers, 1 in the skeleton"),
        (lambda s: s.replace("right 0.0", "right x", 1), "line 8: right is followed by x; expected 1 numbers"),
        (lambda s: s.replace("right 0.0\n", "", 1), "line 8: the frame before has no right"),
        (lambda s: s.replace("\n2\n", "\n3\n"), "line 9: frame 3 follows frame 1"),
        (lambda s: s.replace("\n1\n", "\n0\n").replace("\n2\n", "\n5\n"), "line 9: frame 5 follows frame 0"),
        (lambda s: s.rpartition("right")[0], "ends in a frame without right; it is cut short"),
        (lambda s: s.replace(":DEGREES", ":RADIANS"), "line 3: angles in radians"),
        (lambda s: s.replace("\n1\n", "\n", 1), "line 4: root stands before any frame"),
        (lambda s: "# nothing\n", "has no frames; give an Acclaim motion"),
        (lambda s: "\0\1\2", "line 1: .* stands before any frame"),
    ],
)
def test_motions_that_are_refused(asf, tmp_path, change, message):
    skeleton = read_asf(asf)
    (tmp_path / "bad.amc").write_text(change(amc(skeleton, np.zeros((2, 12)))))
    with pytest.raises(CounterpointError, match=message) as caught:
        read_amc(tmp_path / "bad.amc", skeleton)
    assert "bad.amc" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_and_folders_that_are_not_there(asf, tmp_path):
    with pytest.raises(CounterpointError, match=r"cannot read .*none\.asf"):
        read_asf(tmp_path / "none.asf")
    with pytest.raises(CounterpointError, match=r"has no \.amc files; put motions of one\.asf there"):
        load(tmp_path)
    (tmp_path / "two.asf").write_text(ASF)
    with pytest.raises(CounterpointError, match=r"has 2 \.asf files; put one there"):
        load(tmp_path)
    with pytest.raises(CounterpointError, match=r"channels have shape \(3, 4\); this skeleton has 12"):
        read_asf(asf).positions(np.zeros((3, 4)))


@pytest.fixture
def place(corpora):
    """The folder of subject 35."""
    found = corpora / "mocap_cmu35"
    if not (found / "35.asf").is_file():
        pytest.skip("no skeleton: put 35.asf and cmu35_walk_jog.npz into mocap_cmu35/ of the corpora")
    return found


@pytest.mark.corpus
def test_a_real_person(place, tmp_path):
    skeleton = read_asf(place / "35.asf")
    arrays = read_npz(place / "cmu35_walk_jog.npz")
    assert skeleton.channels == tuple(arrays["channel_names"])
    walk = cut(arrays["test"], arrays["test_lengths"])[1]
    p = skeleton.positions(walk)  # (125, 31, 3)
    bones = np.stack([np.linalg.norm(p[:, i] - p[:, j], axis=-1) for i, j in skeleton.edges], axis=1)
    np.testing.assert_allclose(bones, np.tile(np.linalg.norm(skeleton.offsets[1:], axis=-1), (125, 1)), atol=1e-12)
    metres = 0.0254 / 0.45
    at = skeleton.joints.index
    height = (p[:, at("head"), 1] - p[..., 1].min(1)) * metres
    assert ((height > 1.5) & (height < 1.9)).all()
    feet = p[:, [at("lfoot"), at("rfoot")]]
    assert (feet[..., 1].max(1) < p[:, at("lowerback"), 1]).all()
    # One foot stands while the other goes: most rotations in a wrong order or direction would make both slide.
    pace = np.linalg.norm(np.diff(feet, axis=0), axis=-1).min(1)
    speed = np.linalg.norm(np.diff(p[:, 0], axis=0), axis=-1)
    assert np.median(pace) < 0.1 * np.median(speed)
    (tmp_path / "a.amc").write_text(amc(skeleton, walk))
    np.testing.assert_array_equal(read_amc(tmp_path / "a.amc", skeleton), walk)


@pytest.mark.corpus
def test_a_folder_of_a_real_person_has_features_of_one_size(place, tmp_path):
    skeleton = read_asf(place / "35.asf")
    (tmp_path / "35.asf").write_bytes((place / "35.asf").read_bytes())
    arrays = read_npz(place / "cmu35_walk_jog.npz")
    raw = dict(zip(arrays["train_names"].tolist(), cut(arrays["train"], arrays["train_lengths"])))
    for name in list(raw)[:6]:
        (tmp_path / f"{name}.amc").write_text(amc(skeleton, raw[name]))
    corpus = amc_folder(tmp_path, every=1)
    assert corpus.train.event == (59,)  # as Taylor had them: the same six channels stand still
    assert max(abs(x).max() for x in corpus.train.x) < 12
    x, name = corpus.test.x[0], corpus.test.names[0]
    np.testing.assert_allclose(corpus.view.positions(x), skeleton.positions(raw[name]), atol=1e-2)
