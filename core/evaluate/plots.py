"""The plots of an evaluation, as PNG files."""

from __future__ import annotations

from pathlib import Path

import matplotlib

from core.atomic import write_atomically

matplotlib.use("Agg")  # files only
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from core.evaluate.cells import CONSISTENCY_STEPS, ETAS, QUALITY_STEPS, RECONSTRUCTION_STEPS, REFINE, SOLVERS
from core.evaluate.rows import Document, cell, quality_rows, seconds_per_step, solver_rows
from core.evaluate.solver_tables import solver_titles
from core.evaluate.tables import PAPER_RECONSTRUCTION

COLOURS = {
    "0": "#0b5d5e",
    "0.2": "#3f8f6b",
    "0.5": "#b58a1b",
    "1": "#b5482a",
    "hat": "#6b3fa0",
    "dpm-solver++": "#3b6fb6",
}
NAMES = {eta: "σ̂" if eta == "hat" else f"η = {eta}" for eta in ETAS} | solver_titles()


def _axes() -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=(6.4, 4), dpi=110, layout="constrained")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _plain(axis: Axis, *leading: float) -> None:
    """Label a logarithmic axis with figures as people say them, at these leading digits of each decade."""
    axis.set_major_locator(LogLocator(subs=leading, numticks=20))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def _save(figure: Figure, path: Path) -> Path:
    write_atomically(path, lambda file: figure.savefig(file, format=path.suffix[1:]))
    plt.close(figure)
    return path


def plot_quality(document: Document, path: Path) -> Path | None:
    """Fréchet distance (± spread) against seconds a picture, one curve for each η and solver, both axes logarithmic."""
    rows = quality_rows(document)
    if not rows:
        return None
    rate = seconds_per_step(document)
    rows += solver_rows(document)
    figure, axes = _axes()
    for eta in sorted(COLOURS):
        found = sorted((row for row in rows if row.eta == eta), key=lambda row: row.S)
        if found:
            seconds, distances = [row.S * rate for row in found], [row.frechet for row in found]
            spreads = [row.spread for row in found]
            axes.errorbar(seconds, distances, spreads, color=COLOURS[eta], label=NAMES[eta], marker="o", markersize=4,
                          linewidth=1.4, capsize=2)  # fmt: skip
    for S in {row.S for row in rows if row.S in (*QUALITY_STEPS, document["checkpoint"]["T"])}:  # room for these
        axes.annotate(f"S = {S}", (S * rate, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom",
                      fontsize=7)  # fmt: skip
    floor = cell(document, "quality/floor")
    if floor is not None:
        axes.axhline(floor["frechet"], color="#888888", linestyle="--", linewidth=1, label="held-out data")
    axes.set(xscale="log", yscale="log", xlabel="seconds a picture: S × median seconds a step",
             ylabel="Fréchet distance in our features")  # fmt: skip
    _plain(axes.xaxis, 1, 2, 5)
    _plain(axes.yaxis, 1, 2, 5)
    axes.legend(frameon=False, fontsize=8)
    return _save(figure, path)


def plot_denoising(document: Document, path: Path) -> Path | None:
    """Error of v (± standard error) against the noise level, the noise growing to the right."""
    figures = cell(document, "denoising/levels")
    if figures is None:
        return None
    figure, axes = _axes()
    snrs = [row["snr"] for row in figures["rows"]]
    for which, name, style, colour in (("held_out", "held-out", "-", "0"), ("training", "training", "--", "1")):
        errors, spreads = ([row[f"{which}{end}"] for row in figures["rows"]] for end in ("", "_spread"))
        axes.errorbar(snrs, errors, spreads, color=COLOURS[colour], label=f"{name} pictures", marker="o", markersize=4,
                      linestyle=style, linewidth=1.4, capsize=2)  # fmt: skip
    axes.set(
        xscale="log", xlabel="signal to noise, ᾱ / (1 − ᾱ)", ylabel="mean square error of v a pixel", ylim=(0, None)
    )
    axes.invert_xaxis()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.legend(frameon=False, fontsize=8)
    return _save(figure, path)


def plot_consistency(document: Document, path: Path) -> Path | None:
    """Distance from the T-step sample of the same x_T, as a share of that between unrelated samples, against S."""
    figure, axes = _axes()
    keys = {"0": "eta=0", "1": "eta=1"} | {way: way for way in SOLVERS}
    for eta, key in keys.items():
        style = "--" if eta == "1" else "-"
        for name, marker in (("features", "o"), ("pixels", "s")):
            cells = ((S, cell(document, f"consistency/{key}/S={S}")) for S in CONSISTENCY_STEPS)
            found = [(S, figures[name] / figures[f"{name}_unrelated"]) for S, figures in cells if figures is not None]
            if found:
                axes.plot(*zip(*found, strict=True), style, color=COLOURS[eta], marker=marker, markersize=4,
                          linewidth=1.4, label=f"{NAMES[eta]}, {name}")  # fmt: skip
    if not axes.lines:
        plt.close(figure)
        return None
    axes.axhline(1, color="#888888", linestyle=":", linewidth=1, label="unrelated samples")
    axes.set(xscale="log", xlabel="S", ylabel="distance to S = T, unrelated samples = 1", ylim=(0, None))
    _plain(axes.xaxis, 1, 2, 5)
    axes.legend(frameon=False, fontsize=8)
    return _save(figure, path)


def plot_reconstruction(document: Document, path: Path) -> Path | None:
    """Mean square error (± standard error) of encoding and decoding against S, both axes logarithmic."""
    figure, axes = _axes()
    T = document["checkpoint"]["T"]
    for way, name, colour in (("plain", "plain", "0"), ("refined", f"up to {REFINE} refinements a step", "1")):
        cells = ((S, cell(document, f"reconstruction/{way}/S={S}")) for S in [*RECONSTRUCTION_STEPS, T])
        found = [(S, figures["mse"], figures["spread"]) for S, figures in cells if figures is not None]
        if found:
            steps, errors, spreads = zip(*found, strict=True)
            axes.errorbar(steps, errors, spreads, color=COLOURS[colour], label=name, marker="o", markersize=4,
                          linewidth=1.4, capsize=2)  # fmt: skip
    if not axes.lines:
        plt.close(figure)
        return None
    paper = list(zip(*PAPER_RECONSTRUCTION.items(), strict=True))
    axes.plot(*paper, ":", color="#888888", marker=".", linewidth=1, label="the paper's, plain, CIFAR-10")
    axes.set(xscale="log", yscale="log", xlabel="S", ylabel="mean square error a pixel on [0, 1]")
    _plain(axes.xaxis, 1, 2, 5)
    _plain(axes.yaxis, 1)
    axes.legend(frameon=False, fontsize=8)
    return _save(figure, path)


def plot_all(document: Document, stem: Path) -> list[Path]:
    """``stem``-quality.png and so on, as far as there are cells for them."""
    plots = {
        "quality": plot_quality,
        "denoising": plot_denoising,
        "reconstruction": plot_reconstruction,
        "consistency": plot_consistency,
    }
    made = [plot(document, stem.with_name(f"{stem.name}-{name}.png")) for name, plot in plots.items()]
    return [path for path in made if path is not None]
