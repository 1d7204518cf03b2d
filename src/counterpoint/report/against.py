"""What particles or sweeps buy: the bound, and the gradient's noise, against their number."""

from collections.abc import Mapping, Sequence
from typing import Any

ABREAST = 4  # estimators in a line of the legend
SHOWN = (("variance", "variance"), ("snr", "signal-to-noise ratio"))
STYLES = ("-", "--", ":", "-.")  # of the other number, where both vary


def varied(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Which number the rows differ in, sweeps before particles; None where in neither."""
    return next((name for name in ("sweeps", "particles") if len({row["at"].get(name) for row in rows}) > 1), None)


def draw(sheet: Any, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Three panels against k on a logarithmic axis: the bound, by the estimator that measured it best, with its
    standard error; variance and signal-to-noise ratio of q's gradient, or of p's where q has none, a line for each
    named estimator."""
    from matplotlib import colormaps
    from matplotlib.ticker import NullLocator

    name = varied(rows)
    assert name is not None
    grid = sheet.subplots(1, 1 + len(SHOWN))
    voice = "q" if any(row["voice"] == "q" for row in rows) else "p"
    others = list(dict.fromkeys(_other(row, name) for row in rows))
    for i, other in enumerate(others):
        chosen, style = [row for row in rows if _other(row, name) == other], STYLES[i % len(STYLES)]
        _bound(grid[0], chosen, name, style)
        voiced = [row for row in chosen if row["voice"] == voice]
        for axes, (key, _) in zip(grid[1:], SHOWN):
            for j, estimator in enumerate(names):
                own = [row for row in voiced if row["estimator"].removesuffix(" *") == estimator]
                points = sorted((row["at"][name], row["values"][key]) for row in own if row["values"][key])
                label = estimator if axes is grid[1] and not i else None
                # ten dark shades, then ten light ones; where lines coincide, larger marks stand behind smaller ones
                shade, size = colormaps["tab20"]((2 * j + j // 10) % 20), max(8 - j, 3)
                axes.plot(*zip(*points), label=label, color=shade, linestyle=style, marker="o", markersize=size)
            decades(axes, "y", [value for line in axes.lines for value in line.get_ydata()])
    ticks = sorted({row["at"][name] for row in rows})
    for axes, title in zip(grid, ("bound, nats per step", *(f"{voice}: {label}" for _, label in SHOWN))):
        axes.set_xscale("log")
        axes.set_xticks(ticks, [str(k) for k in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_title(title, fontsize=8)
        axes.set_xlabel(f"k, {name}", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.grid(color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0].ticklabel_format(axis="y", useOffset=False)
    sheet.legend(loc="outside lower left", ncols=ABREAST, frameon=False, fontsize=8)


def decades(axes: Any, side: str, values: Sequence[float]) -> None:
    """A logarithmic x or y axis around the values, in whole powers of ten: all the same is a line, not a spread."""
    import numpy as np
    from matplotlib.ticker import NullFormatter

    low, high = (np.log10(min(values)), np.log10(max(values))) if values else (-1.0, 0.0)
    limits = 10 ** (np.floor(low) - 0.2), 10 ** (max(np.ceil(high), np.floor(low) + 1) + 0.2)
    axes.set(**{f"{side}scale": "log", f"{side}lim": limits})
    getattr(axes, f"{side}axis").set_minor_formatter(NullFormatter())


def _bound(axes: Any, rows: Sequence[Mapping[str, Any]], name: str, style: str) -> None:
    """Its best measurement at each k."""
    best: dict[int, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["values"]["bound_error"]):
        best.setdefault(row["at"][name], row["values"])
    value, error = ([best[k][key] for k in sorted(best)] for key in ("bound", "bound_error"))
    axes.errorbar(sorted(best), value, error, color="#333333", linestyle=style, marker="o", markersize=3, capsize=3)


def _other(row: Mapping[str, Any], name: str) -> tuple:
    """What else the row's setting is."""
    return tuple(sorted((key, value) for key, value in row["at"].items() if key != name))
