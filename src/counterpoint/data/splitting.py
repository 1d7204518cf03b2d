"""Three splits that no speaker, person or video is in two of."""

from collections.abc import Sequence

import numpy as np

from counterpoint.errors import CounterpointError

SEED = 0


def by_group(where: str, groups: Sequence[str], what: str) -> dict[str, list[int]]:
    """Rows of train, valid and test (80/10/10 of the groups, at least one each) of which row i is of `groups[i]`.

    Drawn by a fixed seed from the names of the groups, so that another order of rows changes nothing. Raises
    CounterpointError for less than three groups; `what` says what they are.
    """
    known = sorted(set(groups))
    if len(known) < 3:
        raise CounterpointError(
            f"{where} has {len(known)} {what}; give 3 or more, for one is kept to validate and one to test"
        )
    tenth = max(1, round(len(known) / 10))
    order = [known[i] for i in np.random.default_rng(SEED).permutation(len(known))]
    parts = {"train": order[2 * tenth :], "valid": order[:tenth], "test": order[tenth : 2 * tenth]}
    return {split: [i for i, group in enumerate(groups) if group in set(part)] for split, part in parts.items()}


def held_out(groups: Sequence[str], share: float) -> set[str]:
    """About `share` of the groups, at least one, drawn by a fixed seed from their names."""
    known = sorted(set(groups))
    count = max(1, round(share * len(known)))
    return {known[i] for i in np.random.default_rng(SEED).permutation(len(known))[:count]}
