"""counterpoint train: a recipe, with whatever of it is set by flags."""

import dataclasses
import inspect
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from counterpoint.commands.flags import listed, parse
from counterpoint.errors import CounterpointError

if TYPE_CHECKING:
    from counterpoint.recipes import Recipe

DEFAULT = "chorales"
ROLES = {
    "p": "use another generative model in the recipe's place",
    "q": "use another posterior in its place",
    "bound": "use another bound in its place",
    "estimator": "use another gradient estimator in its place",
}
Name = Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
Where = Annotated[Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint="")]


@dataclass(frozen=True)
class Options:
    """Learn a recipe from data; then measure it beside two baselines, draw it, and let it make something new.
    RECIPE is chorales where none is named. Give the folder of a run in its place to repeat that run: the same
    seed gives the same numbers. Ctrl-C saves and stops.

    Every setting of a recipe is a flag, such as --p.latent 32 or --fit.epochs 10.
    To list them all: counterpoint train RECIPE --help. Recipes: counterpoint recipes.
    Which to begin with is in docs/choosing.md, and what the parts are in README.md.
    """

    data: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE", help_behavior_hint="(default: the recipe's)")] = None
    """a corpus by name, an .npz of sequences, a folder of MIDI, texts, motion, sound or videos"""
    corpora: Where = None
    """where corpora are, if not in COUNTERPOINT_DATA or the user's cache"""
    out: Annotated[Path, tyro.conf.arg(metavar="FOLDER")] = Path("runs")
    """the folder in which the run gets a folder of its own"""
    seed: int = 0
    """seed of every random number"""
    repeats: int = 1
    """how many models to train at once, with seeds seed, seed + 1, ..."""
    p: Name = None
    q: Name = None
    bound: Name = None
    estimator: Name = None
    likelihood: Annotated[
        str | None,
        tyro.conf.arg(metavar="NAME", help_behavior_hint="(default: the recipe's, or the usual one for such data)"),
    ] = None
    """the distribution of a frame given z, such as discretised_gaussian"""
    particles: int = 16
    """particles of the IWAE and FIVO bounds on the test set; 0 for neither"""
    dry_run: Annotated[bool, tyro.conf.arg(help_behavior_hint=""), tyro.conf.FlagCreatePairsOff] = False
    """say what would be trained, how large it is and how long it takes; write nothing"""


def run(words: list[str]) -> int:
    named = bool(words) and not words[0].startswith("-")
    if not named and ("-h" in words or "--help" in words):
        parse(listing(), ["--help"], "counterpoint train [RECIPE]")
    from counterpoint import runs
    from counterpoint.recipes import recipe, recipes

    word, rest = (words[0], words[1:]) if named else (DEFAULT, words)
    if Path(word).exists() and word not in recipes() and not runs.holds_run(Path(word)):
        raise CounterpointError(f"{word} is no run and no recipe; to learn from it, write --data {word}")
    old = runs.open_run(word) if runs.is_run(word) else None
    base = old.recipe if old else recipe(word)
    base, rest = swap(base, rest)
    settings = read(base, rest, f"counterpoint train {word}", old and {"seed": old.seed, "repeats": old.repeats})
    for name, least in (("repeats", 1), ("seed", 0), ("particles", 0)):
        if not least <= getattr(settings, name) < 2**31:
            raise CounterpointError(f"--{name} is {getattr(settings, name)}; give at least {least}, below 2^31")

    from counterpoint.commands.process import settle
    from counterpoint.data import load

    settle()
    chosen = dataclasses.replace(
        base, **{name: getattr(settings, name) for name in (*ROLES, "fit", "likelihood", "particles")}
    )
    corpora = settings.corpora or (Path(old.corpora) if old and old.corpora else None)
    if old and settings.data is None:
        source, corpus = old.source, dataclasses.replace(old, corpora=corpora and str(corpora)).corpus()
    else:
        source = settings.data or base.data
        corpus = load(source, corpora)
    # what is no recipe by name, but the default one on other data, is called after those
    name = base.name if named or settings.data is None else re.sub(r"[^\w.-]+", "-", Path(source).stem)
    chosen = dataclasses.replace(chosen, name=name or base.name, data=source)
    if not named and settings.data is not None:
        print(f"no recipe is named: learned as {DEFAULT} are; docs/choosing.md says what suits what")
    if settings.dry_run:
        from counterpoint.commands.dry_run import describe

        return describe(chosen, corpus, settings.seed, settings.repeats)
    # built once before a folder is made: what cannot work leaves nothing behind
    import jax

    from counterpoint.commands.execute import execute

    pairing = chosen.build(chosen.facts(corpus), jax.random.key(settings.seed))
    from counterpoint.data.batch import check_data

    for part in (corpus.train, corpus.valid, corpus.test):
        check_data(pairing.p, part)
    fresh = not settings.out.exists()
    made = runs.create(settings.out, chosen, settings.seed, settings.repeats, source, corpora, corpus)
    try:
        return execute(made, corpus)
    except Exception:
        if made.discard() and fresh:
            with suppress(OSError):  # another run has begun there
                settings.out.rmdir()
        raise


def listing() -> type:
    """Options whose help names what can be put in a part's place."""
    from counterpoint.registry import names

    fields = [
        (
            role,
            Annotated[
                str | None,
                tyro.conf.arg(metavar="NAME", help_behavior_hint="", help=f"{what}: {', '.join(names(role))}"),
            ],
            dataclasses.field(default=None),
        )
        for role, what in ROLES.items()
    ]
    kind = dataclasses.make_dataclass("Listing", fields, bases=(Options,), frozen=True)
    kind.__doc__ = Options.__doc__
    return kind


def swap(base: "Recipe", words: list[str]) -> tuple["Recipe", list[str]]:
    """`--p NAME` puts that part, as it is by default, in the recipe's place; gives back the other words.

    Raises CounterpointError for an unknown part.
    """
    from counterpoint.registry import part

    kept, rest = [], iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if name[:2] != "--" or name[2:] not in ROLES:
            kept.append(word)
            continue
        value = value if equals else next(rest, "")
        if not value or value.startswith("-"):
            raise CounterpointError(f"{name} has no value, expected the name of a part")
        base = dataclasses.replace(base, **{name[2:]: part(name[2:], value)()})
    return base, kept


def read(base: "Recipe", words: list[str], prog: str, defaults: dict | None = None) -> Any:
    """Options and every setting of a recipe. Raises what `parse` raises."""
    from counterpoint.registry import names

    values = {name: getattr(base, name) for name in (*ROLES, "fit")}
    fields: list = [
        # a factory, for some parts are of a kind that tyro takes for mutable
        (
            name,
            Annotated[type(value), tyro.conf.arg(help=summary(value))],
            dataclasses.field(default_factory=lambda value=value: value),
        )
        for name, value in values.items()
    ]
    plain = {"likelihood": base.likelihood, "particles": base.particles} | (defaults or {})
    fields += [
        (f.name, Options.__annotations__[f.name], dataclasses.field(default=plain[f.name]))
        for f in dataclasses.fields(Options)
        if f.name in plain
    ]
    kind = dataclasses.make_dataclass("Settings", fields, bases=(Options,), frozen=True)
    others = [f"--{role} NAME, to {what}: {', '.join(names(role))}" for role, what in ROLES.items()]
    kind.__doc__ = "\n\n".join([base.about, base.line(), *others])
    return parse(kind, words, prog)


def summary(part: Any) -> str:
    """The name of a part, and what its docstring opens with."""
    name = getattr(part, "name", "")
    # tyro joins lines, except those that are indented: lists of settings are to stay lists, and to fit its frame
    about = listed(inspect.getdoc(type(part)) or "", "  ", 74)
    return f"{name}\n\n{about}".strip()
