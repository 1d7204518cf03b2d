"""Still images of 28 x 28 pixels, 0 or 1, or grey: sequences of one step. MNIST, OMNIGLOT and silhouettes of
Caltech 101.

    mnist                grey values taken as probabilities. Training draws each image anew at every step (Burda et al.
                         2015); what is validated and tested is drawn once, by a fixed seed
    mnist_grey           the grey values themselves, for what is compared by Parzen windows
    mnist_fixed          the one draw of Larochelle and Murray (2011)
    omniglot             28 x 28 sums of blocks of the 105 x 105 drawings; drawn as `mnist`
    caltech_silhouettes  as released: 1 is the background

Numbers on `mnist` and on `mnist_fixed` differ by about 2 nats and cannot be compared. The OMNIGLOT of Burda et al. is a
file of their own, which cannot be had: this one has as many images to test, but is shrunk and split otherwise, so that
its numbers are not theirs.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from counterpoint.data import folders
from counterpoint.data.moving_mnist import FILES, HELD, read_digits
from counterpoint.data.packed import SPLITS, digest, read_npz
from counterpoint.data.sequences import Corpus, Sequences
from counterpoint.data.views import Images
from counterpoint.errors import CounterpointError

SIDE = 28
SEED = 0  # of what is drawn once, and of OMNIGLOT's split
VALID, TEST = 1345, 8070  # images of OMNIGLOT that validate and test
LEVELS = 16  # ink of its darkest pixel
ARRAYS = {  # file, the folder it is in, `packed.digest` of its arrays, and where they come from
    "mnist_fixed": (
        "binarized_mnist_larochelle.npz",
        "mnist",
        "7075d44c466a2dc345cb1cc4ab034a3b147048f84b79cd38242b3c7d9a2f81ea",
        "it holds train, valid and test of binarized_mnist_*.amat, rows of 784 bits through numpy.packbits",
    ),
    "omniglot": (
        "omniglot_28x28_blocksum.npz",
        "omniglot",
        "89a39441652e23bb54e5461cd64029f14e87fdd2e3e2a8d2d96ee0dc4266467a",
        "it holds the drawings of brendenlake/omniglot, ink padded to 112 x 112 and summed over blocks of 4 x 4",
    ),
    "caltech_silhouettes": (
        "caltech101_silhouettes_28_split1.npz",
        "caltech101_silhouettes",
        "fc6a0559833e77eceea6f946d974fda945bde7ee1709f20dc12fec1530c06e00",
        "it holds the splits of caltech101_silhouettes_28_split1.mat, rows of 784 bits through numpy.packbits",
    ),
}


def mnist(folder: Path | None = None) -> Corpus:
    """MNIST, of whose 60000 training digits the last 10000 validate. Raises what `read_digits` raises."""
    note = "MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0), drawn anew at every step of training"
    return drawn("mnist", digits(folder), note)


def mnist_grey(folder: Path | None = None) -> Corpus:
    """MNIST with its grey values, split as `mnist`. Raises what `read_digits` raises."""
    flat = {split: a.reshape(len(a), 1, SIDE * SIDE) for split, a in digits(folder).items()}
    return corpus("mnist_grey", flat, "MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0), grey values", kind="grey")


def digits(folder: Path | None) -> dict[str, np.ndarray]:
    """Grey values (N, 28, 28) of each split, 0 to 1, float32."""
    known = read_digits(FILES["train"], folder)
    splits = {"train": known[:-HELD], "valid": known[-HELD:], "test": read_digits(FILES["test"], folder)}
    return {split: grey / np.float32(255) for split, grey in splits.items()}


def mnist_fixed(folder: Path | None = None) -> Corpus:
    """MNIST as it was drawn once, 50000 / 10000 / 10000. Raises what `arrays` raises."""
    found = arrays("mnist_fixed", folder)
    splits = {split: unpacked(found[split]) for split in SPLITS}
    return corpus("mnist_fixed", splits, "MNIST in the draw of Larochelle and Murray (2011)")


def omniglot(folder: Path | None = None) -> Corpus:
    """OMNIGLOT: 8070 of its 32460 drawings test and 1345 validate, all picked by a fixed seed. Raises what `arrays`
    raises."""
    found = arrays("omniglot", folder)
    ink = np.concatenate([found["background_images"], found["evaluation_images"]])
    order = np.random.default_rng(SEED).permutation(len(ink))
    test, valid, train = np.split(order, [TEST, TEST + VALID])
    splits = {"train": train, "valid": valid, "test": test}
    note = "OMNIGLOT (Lake et al. 2015; MIT), shrunk and split here; not comparable with Burda et al. (2015)"
    return drawn("omniglot", {split: ink[np.sort(rows)] / np.float32(LEVELS) for split, rows in splits.items()}, note)


def caltech_silhouettes(folder: Path | None = None) -> Corpus:
    """Silhouettes of Caltech 101, 4100 / 2264 / 2307. Raises what `arrays` raises."""
    found = arrays("caltech_silhouettes", folder)
    splits = {split: unpacked(found[f"{split.replace('valid', 'val')}_bits"]) for split in SPLITS}
    return corpus("caltech_silhouettes", splits, "Caltech 101 silhouettes (Marlin et al. 2010)")


def drawn(name: str, chances: dict[str, np.ndarray], note: str) -> Corpus:
    """A corpus of images whose pixels have these chances (N, 28, 28) to be 1; training keeps them."""
    flat = {split: a.reshape(len(a), 1, SIDE * SIDE).astype(np.float32) for split, a in chances.items()}
    once = {}
    for stream, (split, chance) in enumerate(flat.items()):
        rng = np.random.default_rng([SEED, stream])
        once[split] = (rng.random(chance.shape, np.float32) < chance).astype(np.uint8)
    return corpus(name, once, note, flat["train"])


def corpus(
    name: str, splits: dict[str, np.ndarray], note: str, chances: np.ndarray | None = None, kind: str = "binary"
) -> Corpus:
    """A corpus of images (N, 1, 784) of 0 and 1, or of grey values."""
    train, valid, test = (Sequences(tuple(splits[split]), what=f"{name}, {split}") for split in SPLITS)
    if chances is not None:
        train = replace(train, chances=tuple(chances))
    return Corpus(name, train, valid, test, kind=kind, step="image", view=Images(SIDE, SIDE), note=note)


def unpacked(packed: np.ndarray) -> np.ndarray:
    """(N, 98) uint8 to (N, 1, 784) of 0 and 1."""
    return np.unpackbits(packed, axis=-1, count=SIDE * SIDE)[:, None]


def arrays(name: str, folder: Path | None) -> dict[str, np.ndarray]:
    """The arrays of a corpus. Raises CounterpointError for a file that is missing, damaged, or not that one."""
    file, sub, known, how = ARRAYS[name]
    path = folders.find(file, sub, how, folder)
    found = read_npz(path)
    if digest(found) != known:
        raise CounterpointError(
            f"{path} is not {name} as it is known here (its arrays differ): {how}; rename it to use it as your own data"
        )
    return found
