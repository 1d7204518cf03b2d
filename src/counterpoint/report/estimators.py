"""Gradient estimators side by side: rows for the terminal and for Markdown, JSON, and a figure."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from counterpoint.core import Batch
from counterpoint.evaluation.gradients import Gradients, Noise
from counterpoint.files import replacing
from counterpoint.report import against, counted
from counterpoint.report.canvas import new_figure, save
from counterpoint.report.markdown import markdown_table

COLUMNS = ("bound", "estimator", "variance", "bias", "cosine", "SNR", "ms")


class Compared(NamedTuple):
    """The estimators of one bound."""

    at: Mapping[str, int]  # its numbers of particles and sweeps, by name, where they were asked for
    reference: str | None  # which estimator is held to be right
    exact: Gradients | None  # many draws of that
    drawn: Mapping[str, Gradients]


Found = Mapping[str, Compared]  # by what a table calls the bound
WORDS = {
    "its own": "the estimator of the recipe, or of the run with what it has learned",
    "bare": "without a baseline and without centring",
    "local": "the signal of a step is its own term of the bound alone",
    "through time": "q learns from the free energy of the whole sequence, not of each step by itself",
    "whole": "with the term that contrastive divergence leaves out (Bachman and Precup 2015, eq. 45)",
    "tempered": "chains at several temperatures that change places",
    "wake": "q learns from its own weighted draws alone",
    "sleep": "q learns from draws of p alone",
}  # in the names of estimators


def about(found: Found, draws: int, reference: int, batch: Batch) -> str:
    """What the names and the numbers are."""
    rows, steps = batch.valid.shape
    used = {part for compared in found.values() for name in compared.drawn for part in (name, *name.split(", ")[1:])}
    size = f"{counted(rows, 'sequence')} of at most {counted(steps, 'step')}"
    names = "".join(f' "{word}": {what}.' for word, what in WORDS.items() if word in used)
    return (
        f"One batch of {size}; {draws} gradients of each estimator, parameters held"
        " fixed. Variance: trace of the covariance. Bias: distance of the mean from the reference's mean, as a share of"
        " its length; after ±, how large it would look for the noise of both means alone. Cosine: of the angle between"
        " the two means. SNR: length of the mean divided by the root of the variance. ms: of one gradient. The"
        f" reference (*) is the least noisy estimator that is unbiased for the bound, drawn {reference} times; where"
        " there is none, there is no bias to tell. Wake-sleep follows other divergences than the bound, and its bias"
        " says how far they lead away from it; where the reference is maximum_likelihood, what it estimates without"
        f" bias, or noise, is the gradient of log p itself.{names}"
    )


def lines(found: Found) -> list[dict[str, Any]]:
    """One row for each bound, estimator and voice."""
    rows = []
    for bound, (at, reference, exact, drawn) in found.items():
        for name, result in drawn.items():
            for voice in ("p", "q"):
                noise = getattr(result, voice)
                if noise is not None:
                    of = getattr(exact, voice) if exact else None
                    shown = f"{name} *" if name == reference else name
                    rows.append({"at": dict(at), **line(bound, shown, voice, result, noise, of)})
    return rows


def line(bound: str, name: str, voice: str, result: Gradients, noise: Noise, reference: Noise | None) -> dict[str, Any]:
    """A row: text for the table, and the numbers behind it under "values"."""
    off, floor = noise.bias(reference) if reference else (None, None)
    cosine = noise.cosine(reference) if reference else None
    values = {
        "variance": noise.variance, "norm": noise.norm, "snr": noise.snr if noise.variance else None,
        "bias": off, "bias_noise": floor, "cosine": cosine, "draws": noise.count, "milliseconds": 1000 * result.seconds,
        "bound": result.bound, "bound_error": result.bound_error,
    }  # fmt: skip
    return {
        "bound": bound,
        "estimator": name,
        "voice": voice,
        "variance": f"{noise.variance:.3g}",
        "bias": None if off is None else f"{off:.2f} ± {floor:.2f}",
        "cosine": None if cosine is None else f"{cosine:.3f}",
        "SNR": f"{noise.snr:.3g}",
        "ms": f"{1000 * result.seconds:.2f}",
        "values": values,
    }


def write(folder: Path, title: str, said: str, rows: list[dict[str, Any]], command: str) -> list[Path]:
    """estimators.json, estimators.md and estimators.png in a folder, which is made where it is not there."""
    places = [folder / f"estimators.{kind}" for kind in ("json", "md", "png")]
    keys = ("bound", "at", "estimator", "voice", "values")
    plain = {"command": command, "title": title, "rows": [{key: row[key] for key in keys} for row in rows]}
    with replacing(places[0]) as file:
        file.write((json.dumps(plain, indent=1) + "\n").encode())
    with replacing(places[1]) as file:
        file.write(markdown(title, said, rows, command).encode())
    save(draw(rows), places[2])
    return places


def markdown(title: str, said: str, rows: list[dict[str, Any]], command: str) -> str:
    """A page: one table for each voice, the bounds, and the figure."""
    parts = [f"# {title}", f"    {command}", said]
    for voice in ("p", "q"):
        chosen = [row for row in rows if row["voice"] == voice]
        if chosen:
            cells = [["–" if row[column] is None else row[column] for column in COLUMNS] for row in chosen]
            parts += [f"## Gradient of {voice}", markdown_table(COLUMNS, cells, "llrrrrr")]
    parts += ["## The bound", "\n".join(f"- {text}, nats per step" for text in values_of_bounds(rows).values())]
    parts.append("![Variance, signal-to-noise ratio, and bias where it is more than noise](estimators.png)")
    return "\n\n".join(parts) + "\n"


def values_of_bounds(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Each bound with its value, by the estimator that measured it best."""
    found: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row["values"]["bound_error"]):
        values = row["values"]
        found.setdefault(row["bound"], f"{row['bound']}: {values['bound']:.3f} ± {values['bound_error']:.3f}")
    return {row["bound"]: found[row["bound"]] for row in rows}


WIDE = 42  # letters of a bound and its value, of which two do not fit beside each other
PANELS = (("variance", "variance"), ("bias", "bias, where it shows"), ("snr", "signal-to-noise ratio"))


def seen(values: dict[str, Any], key: str) -> bool:
    """Whether there is a number to draw: a bias only where it is twice what noise alone would look like."""
    return bool(values[key]) and (key != "bias" or values["bias"] > 2 * values["bias_noise"])


def draw(rows: list[dict[str, Any]]):
    """A figure: a row of panels for each voice, a line for each estimator, a dot for each bound; and a row against the
    number of particles or sweeps, where several were compared. A panel without a dot is left out."""
    from matplotlib import colormaps

    dots = lambda voice, key: [row for row in rows if row["voice"] == voice and seen(row["values"], key)]
    columns = [panel for panel in PANELS if any(dots(voice, panel[0]) for voice in "pq")] or PANELS[:1]
    voices = [voice for voice in "pq" if any(dots(voice, key) for key, _ in columns)] or ["p"]
    names = list(dict.fromkeys(row["estimator"].removesuffix(" *") for row in rows))
    said = values_of_bounds(rows)
    shade = {bound: colormaps["viridis"](0.85 * i / max(len(said) - 1, 1)) for i, bound in enumerate(said)}
    # the second sheet, where there is one, is for what stands against k
    heights = [len(voices) * (1.2 + 0.24 * len(names)) + 0.5]
    heights += [2.3 + 0.2 * -(-len(names) // against.ABREAST)] if against.varied(rows) else []
    figure = new_figure(sum(heights))
    sheets = figure.subfigures(len(heights), squeeze=False, height_ratios=heights)[:, 0]
    grid = sheets[0].subplots(len(voices), len(columns), squeeze=False, sharey=True)
    for voice, panels in zip(voices, grid):
        leftmost = next((key for key, _ in columns if dots(voice, key)), None)
        for axes, (key, label) in zip(panels, columns):
            shown = dots(voice, key)
            axes.set_visible(bool(shown))
            axes.tick_params(axis="y", labelleft=key == leftmost)
            for row in shown:
                place = names.index(row["estimator"].removesuffix(" *"))
                axes.plot(row["values"][key], place, "o", color=shade[row["bound"]], markersize=5)
            against.decades(axes, "x", [row["values"][key] for row in shown])
            axes.set_title(f"{voice}: {label}", fontsize=8)
            axes.set_yticks(range(len(names)), names, fontsize=8)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.tick_params(axis="x", labelsize=7)
            axes.grid(color="#e6e6e6", linewidth=0.6)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
    for bound, text in said.items():
        grid[0][0].plot([], [], "o", color=shade[bound], label=f"{text} nats per step")
    abreast = 2 if max(map(len, said.values())) < WIDE else 1
    sheets[0].legend(loc="outside upper left", ncols=abreast, frameon=False, fontsize=8)
    for sheet in sheets[1:]:
        against.draw(sheet, rows, names)
    return figure
