"""The one exception that the command turns into a single line and a non-zero exit."""

LISTED = 30  # names at most in one line; of more, so many
FEW = 5


class CounterpointError(Exception):
    """Says what was given, what was expected, and what to do. Everything else that escapes is a bug of ours."""


def at_least(config, minimum: int, *fields: str) -> None:
    """Raise where one of a configuration's numbers, or tuples of at least one, is below what makes sense."""
    for field in fields:
        value = getattr(config, field)
        if (
            value is not None
            and not (min(value, default=minimum - 1) if isinstance(value, tuple) else value) >= minimum
        ):
            name = getattr(config, "name", type(config).__name__.removesuffix("Config").lower())
            raise CounterpointError(f"{name}: {field} is {value}; give at least {minimum}")


def share(config, field: str) -> None:
    """Raise where one of a configuration's numbers is no share that leaves something: 0 or more, below 1."""
    value = getattr(config, field)
    if not 0 <= value < 1:
        raise CounterpointError(f"{config.name}: {field} is {value}; give a share, at least 0 and below 1")


def nearest(word: str, known) -> str:
    """`; did you mean 'x'?` for the closest of `known`, or the list of them where none is close; of many, some."""
    import difflib

    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.55)
    if close:
        return f"; did you mean {close[0]!r}?"
    if len(known) > LISTED:
        return f"; there are {len(known)}, such as {', '.join(known[:: -(-len(known) // FEW)])}"
    return f"; there are: {', '.join(known)}"
