"""Motion capture of people who walk and run. Not in the package: found in a folder.

`mocap_cmu35`: subject 35 of the CMU database (mocap.cs.cmu.edu, funded by NSF EIA-0196217; free to use, not to be
resold), the 33 sequences of Taylor, Hinton and Roweis (2006) at 30 frames a second. `cmu35_walk_jog.npz` holds for s
in train and test `s` float64 (frames, 62), all sequences one after the other, with `s_lengths` and `s_names`;
`channel_names` (62,); `taylor_bias` and `taylor_scale` (59,), `taylor_joint_columns` (50,). `35.asf`, beside it, is
its skeleton, needed only to see poses.

`mocap_mit`: E. Hsu's walks as preprocessed by Taylor, Hinton and Roweis, whose notice allows any use if it is kept.
`mit_mocap_tsbn.npz` holds `train` float64 (3500, 49) and `test` (326, 49), with `s_lengths`, as the TSBN code has
them. The scaling was made over train and test together, so the test set leaks into it, and the test set is the end of
the stream that train was cut from. No skeleton goes with these columns: the corpus has no view.

Errors of prediction on these scales cannot be compared with the CMU numbers of the TSBN paper, whose 58 channels
cannot be had.
"""

from pathlib import Path

import numpy as np

from counterpoint.data.asf import read_asf
from counterpoint.data.folders import find
from counterpoint.data.motion import Motion, Taylor
from counterpoint.data.packed import cut, digest, read_npz
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.errors import CounterpointError

# `packed.digest` of the arrays
DIGESTS: dict[str, str] = {
    "mocap_cmu35": "227858411c103d05a2ddb578862185eb2f7cccc1ea4a7b0a1de8d32da01cb16d",
    "mocap_mit": "d10559b66d0f28f287af1c97fc86fd1d2f4892e54198de845fb3d0fd2a1c04bc",
}
FILES = {"mocap_cmu35": "cmu35_walk_jog.npz", "mocap_mit": "mit_mocap_tsbn.npz"}
MATLAB = {  # files of the releases
    "mocap_cmu35": ("cmu35WalkJog.mat", "cmu35TaylorScaleBias.mat"),
    "mocap_mit": ("mit_mocap.mat",),
}
RELEASES = {
    "mocap_cmu35": "datasets/data of the repository SheffieldML/GPmat",
    "mocap_mit": "mocap/mit_data of the repository zhegan27/TSBN_code_NIPS2015",
}
# what the MATLAB files of CMU do not say: sequences, channels, and which of them move
TESTED = (18, 29)
NAMES = {
    "train": tuple(f"35_{i:02}" for i in range(1, 35) if i not in (*TESTED, 27)),  # 27 is another motion
    "test": tuple(f"35_{i}" for i in TESTED),
}
LEG = "femur xyz, tibia x, foot xz, toes x"
SPINE = "lowerback xyz, upperback xyz, thorax xyz, lowerneck xyz, upperneck xyz, head xyz"
ARM = "clavicle yz, humerus xyz, radius x, wrist y, hand xz, fingers x, thumb xz"
CHANNELS = tuple(f"root_{move}" for move in ("tx", "ty", "tz", "rx", "ry", "rz")) + tuple(
    f"{side}{bone}_r{axis}"
    for side, part in (("l", LEG), ("r", LEG), ("", SPINE), ("l", ARM), ("r", ARM))
    for bone, axes in (joint.split() for joint in part.split(", "))
    for axis in axes
)
COLUMNS = tuple(i for i in range(6, 62) if i not in (38, 39, 47, 50, 51, 59))
VALID = ("35_26", "35_33", "35_34")  # of the CMU walks and runs: one run and two walks, the last of each
VALID_CUTS = 3  # of the 35 training cuts of MIT: the last


def load_cmu35(folder: Path | None = None) -> Corpus:
    """Taylor's 59 features, scaled to mean 0 and deviation 1 over the 31 published training sequences.

    Test are the published two, 35_18 (a run) and 35_29 (a walk). No validation set was published: here 35_26 (a
    run), 35_33 and 35_34 (walks) are taken out of the 31. The view gives channels, and positions where `35.asf` was
    found.

    Raises CounterpointError for a missing or damaged file, content other than described, and a skeleton that does not
    fit.
    """
    path, arrays = _read("mocap_cmu35", folder)
    columns = arrays["taylor_joint_columns"]
    features = Taylor(arrays["taylor_bias"], arrays["taylor_scale"], columns, arrays["train"].mean(0))
    skeleton = None
    beside = path.with_name("35.asf")
    if beside.is_file():
        skeleton = read_asf(beside)
        if skeleton.channels != tuple(arrays["channel_names"].tolist()):
            raise CounterpointError(f"{beside} has other channels than {path.name}; put subject 35's there")
    whole = {}
    for split in ("train", "test"):
        motions = cut(features.encode(arrays[split]), arrays[f"{split}_lengths"])
        whole[split] = Sequences(motions, names=tuple(arrays[f"{split}_names"].tolist()), what=f"mocap_cmu35, {split}")
    train, valid = (
        [i for i, name in enumerate(whole["train"].names) if (name in VALID) == held] for held in (False, True)
    )
    return Corpus(
        "mocap_cmu35",
        train=whole["train"].take(train),
        valid=whole["train"].take(valid),
        test=whole["test"],
        kind="real",
        step="frame",
        view=Motion(skeleton, features),
        seconds=1 / 30,
        note="subject 35 of mocap.cs.cmu.edu (NSF EIA-0196217), free to use; Taylor's features by way of GPmat",
    )


def load_mit(folder: Path | None = None) -> Corpus:
    """49 features, scaled over train and test. Test are the four cuts of the TSBN code; the last 3 of its 35 validate.

    Raises CounterpointError for a missing or damaged file and content other than described.
    """
    _, arrays = _read("mocap_mit", folder)
    cuts = cut(arrays["train"], arrays["train_lengths"])
    pack = lambda x, split: Sequences(x, what=f"mocap_mit, {split}")
    return Corpus(
        "mocap_mit",
        train=pack(cuts[:-VALID_CUTS], "train"),
        valid=pack(cuts[-VALID_CUTS:], "valid"),
        test=pack(cut(arrays["test"], arrays["test_lengths"]), "test"),
        kind="real",
        step="frame",
        note="E. Hsu's walks, preprocessed by Taylor, Hinton and Roweis (keep their notice); scaled over all splits",
    )


def _read(name: str, folder: Path | None) -> tuple[Path, dict[str, np.ndarray]]:
    """The file of a corpus and its arrays, known by their content."""
    how = f"make it with `counterpoint data prepare {name} {' '.join(MATLAB[name])}`, from {RELEASES[name]}"
    path = find(FILES[name], name, how, folder)
    arrays = read_npz(path)
    if digest(arrays) != DIGESTS[name]:
        raise CounterpointError(f"{path} is not the known {name} (its arrays differ); get it again: {how}")
    return path, arrays
