"""What Your picture measures: how far an x_T is from noise, and the error of the way back at each S."""

from __future__ import annotations

from demo import words
from demo.jobs import Finished
from demo.scene import Scene, Value


def gauss(run: Finished, others: Finished | None) -> Value:
    """How much the picture's x_T looks like a seed's noise. others: held-out examples, taken up in the same way."""
    from core.gaussian import EDGE, gaussianness

    assert run.found is not None
    g = gaussianness(run.found.x_T[0])
    theirs = [] if others is None or others.found is None else [gaussianness(x) for x in others.found.x_T]
    ranges = {
        name: (min(values), max(values)) for name in words.IDEAL if (values := [getattr(one, name) for one in theirs])
    }
    return {
        "state": "done", "label": f"S = {run.job.request.settings.steps}", "edge": EDGE,
        "figures": [
            [words.FIGURES[name], f"{getattr(g, name):.3f}", f"noise: {ideal:g}", words.range_text(ranges.get(name))]
            for name, ideal in words.IDEAL.items()
        ],
        "counts": g.counts.tolist(), "expected": [round(float(e), 2) for e in g.expected],
        "said": words.gaussian_said({name: getattr(g, name) for name in words.IDEAL}, g.n, ranges),
    }  # fmt: skip


def errors_value(scene: Scene) -> Value:
    """The error of the way there and back at each S, plain and refined; the page's own S among them."""
    refined = scene.page.refine or 1
    points: dict[int, list[list[float]]] = {0: [], refined: []}
    wanted = [job for job in scene.jobs if job.name.startswith("error ")]
    for job in wanted:
        run = scene.finished.get(job.name)
        if run is not None and run.found is not None and job.encoding is not None:
            points[job.encoding.refine].append([job.request.settings.steps, run.found.errors[0]])
    own = scene.finished.get("journey")
    if own is not None and own.found is not None:
        points.setdefault(scene.page.refine, []).append([scene.page.steps, own.found.errors[0]])
    done = sum(job.name in scene.finished for job in wanted)
    asked = next((scene.now[job.name]["ask"] for job in wanted if "ask" in scene.now.get(job.name, {})), None)
    state = "none" if not wanted else "done" if done == len(wanted) else "running" if done else "waiting"
    return {
        "state": "asked" if asked else state, "ask": asked, "progress": done / max(1, len(wanted)),
        "lines": [
            {"name": "plain" if refine == 0 else f"{refine} refinement{'s' if refine > 1 else ''} a step",
             "points": sorted({S: [S, error] for S, error in found}.values())}
            for refine, found in sorted(points.items())
        ],
        "S": scene.page.steps,
    }  # fmt: skip
