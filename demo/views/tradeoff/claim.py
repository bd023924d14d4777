"""The paper's claim on the checkpoint at hand: the fewest steps that are as near to the data as DDPM's all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.evaluate.digits import measured
from core.evaluate.headline import headline
from core.evaluate.rows import quality_rows
from demo.field_lists import Lane, plain


def claim(document: Mapping[str, Any], spacing: str) -> dict[str, Any] | None:
    """{said: the sentence, lanes: the two runners of Compare that show it, or None where no fewer steps do}.

    None while DDPM's distance was not measured. spacing: of the step lists that were.
    """
    found = headline(document)
    if found is None:
        return None
    pictures = f"n = {found.n:,}"
    plotted = {row.n for row in quality_rows(document)}
    if plotted and found.n > max(plotted):
        pictures += f", which gives smaller distances than the plot's {max(plotted):,}"
    within, ddpm = f"within {100 * found.within:.0f} %", measured(found.ddpm, found.ddpm_spread)
    if found.S is not None and found.ratio is not None and found.S < found.T:
        faster = f"{found.ratio:.0f}" if found.ratio >= 10 else f"{found.ratio:.1f}"
        said = (
            f"{found.S} steps without noise come {within} of DDPM's {found.T}, {faster} times faster: distance "
            f"{measured(found.frechet, found.spread)} beside {ddpm} ({pictures})."
        )
        return {"said": said, "lanes": [plain(Lane(found.S, 0.0, spacing)), plain(Lane(found.T, 1.0, spacing))]}
    said = f"No fewer steps without noise that were measured come {within} of DDPM's {found.T} ({ddpm}; {pictures})"
    if found.nearest is not None:
        S, above, spread = found.nearest
        said += f"; S = {S} comes nearest, {100 * above:.0f} ± {100 * spread:.0f} % above"
    return {"said": f"{said}.", "lanes": None}
