"""The one exception that the command turns into a single line and a non-zero exit."""


class CounterpointError(ValueError):
    """Says what was given, what was expected, and what to do. Everything else that escapes is a bug of ours."""


def nearest(word: str, known) -> str:
    """`; did you mean 'x'?` for the closest of `known`, or the list of them where none is close."""
    import difflib

    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(known)}"
