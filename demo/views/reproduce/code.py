"""The page's runs as commands and code that repeat them. Pure: values in, text out."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from core import Engine
from core.reproduce import command_line, python_code
from core.reproduce_pictures import picture_code, picture_command_lines
from core.request import Request
from demo.given import Find
from demo.host import EngineHost
from demo.jobs import Job, labelled
from demo.settings import PageSettings
from demo.tiles import SAME_AT_ANY_BATCH
from demo.views.branches import fitted
from demo.views.branches import jobs as branches
from demo.views.compare import jobs as race
from demo.views.explore import jobs as explore
from demo.views.interpolate import jobs as path_and_sheet
from demo.views.picture import run_here
from demo.views.picture.saved import seen_name

BEGIN_WITH_PICTURES = ("journey", "bridge")
SAVE_THEM = '<p class="first">Save first, in <em>Your picture</em>, the part of each picture that was taken.</p>'


def request_here(what: str, page: PageSettings, engine: Engine) -> Request:
    """The request behind a panel: samples, strip, a, b, lane0…, branches, path, place or sheet. Raises ValueError."""
    if what == "branches":
        return fitted(labelled(branches(page), page.label, engine), engine, lambda _: None)[0].request
    for job in labelled([*explore(page), *race(page), *path_and_sheet(page)], page.label, engine):
        if job.name == what:
            return job.request
    raise ValueError("Compare has no such runner: add it there, or choose another run.")


def code(
    request: Request,
    folder: str,
    device: str,
    precision: str,
    out: str,
    batch: int | None = None,
    backend: str = "auto",
) -> list[tuple[str, str]]:
    """(title, text): the same pictures from a shell and from Python. folder: the checkpoint's. batch: pictures in
    one network call, all at once where it is not given."""
    return [
        ("Command line", command_line(request, folder, device, precision, out, batch, backend)),
        ("Python", python_code(request, folder, device, precision, out, batch, backend)),
    ]


def words_html(text: str) -> str:
    """Each word in a box of its own, so that a line never breaks inside --steps. Copying gives the text itself."""
    return re.sub(r"\S+", lambda word: f"<span>{html.escape(word[0])}</span>", text)


def batch_here(request: Request, engine: Engine) -> int | None:
    """Pictures in one network call of the page's run, where that decides the last bit; None where all go at once."""
    return engine.fits if request.count > engine.fits and engine.backend not in SAME_AT_ANY_BATCH else None


def picture_blocks(job: Job, engine: Engine, folder: str) -> list[tuple[str, str]]:
    """``code`` of a run that began with pictures, which are read from the files that the page offers of them."""
    assert job.encoding is not None
    assert job.encoding.pixels is not None
    names, request = [seen_name(engine.checkpoint.name, pixels) for pixels in job.encoding.pixels], job.request
    about = (names, request, job.encoding.refine, folder, str(engine.device), engine.precision)
    out = (f"{job.name}.png", batch_here(request, engine), engine.backend)
    return [("Command line", picture_command_lines(*about, *out)), ("Python", picture_code(*about, *out))]


def code_panel(host: EngineHost, engine: Engine, page: PageSettings, find: Find) -> str:
    """The run that page.what names, written out as markup; or why there is none. find: the tab's pictures."""
    folder, where = host.folder_text(page.checkpoint), (str(engine.device), engine.precision)
    try:
        if page.what in BEGIN_WITH_PICTURES:
            return SAVE_THEM + code_html(picture_blocks(run_here(page.what, page, engine, find), engine, folder))
        request = request_here(page.what, page, engine)
    except ValueError as error:
        return f'<p role="alert">{html.escape(str(error))}</p>'
    return code_html(code(request, folder, *where, f"{page.what}.png", batch_here(request, engine), engine.backend))


def code_html(blocks: Sequence[tuple[str, str]]) -> str:
    """Texts with a button that copies each (panel.js)."""
    return "".join(
        f'<div class="code"><div class="codeHead"><h3>{html.escape(title)}</h3>'
        f'<button type="button" class="quiet" data-copy aria-label="Copy: {html.escape(title)}">Copy</button></div>'
        f"<pre>{words_html(text.rstrip())}</pre></div>"
        for title, text in blocks
    )
