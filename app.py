"""``python app.py``: open the DDIM explorer in the browser."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from demo.hosting import add_options, at_least_1, hosting
from demo.run_log import configure

if TYPE_CHECKING:
    from core.hub import Located

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # the page asks no outside host

CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"


def port(text: str) -> int:
    """A port that can be opened and named in an address, or an error that argparse shows."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:  # 0 would be any port, but gradio asks port 0 itself then
        raise argparse.ArgumentTypeError(f"give a whole number from 1 to 65535, not {text or 'nothing'}.")
    return int(text)


class Parser(argparse.ArgumentParser):
    """An error is one line, without the usage above it."""

    def error(self, message: str) -> NoReturn:
        """Print the line and exit with status 2."""
        self.exit(2, f"{message}\n")


def arguments() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    parser.add_argument("--port", type=port, help="default: GRADIO_SERVER_PORT, or the first free from 7860")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, help="folder of checkpoint folders")
    parser.add_argument(
        "--checkpoint", action="append", default=[], metavar="ID", help="one more: a folder, or an id of the hub"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    parser.add_argument("--precision", default="auto", help="auto (fp32), fp32, bf16, fp16")
    parser.add_argument("--backend", default="auto", help="what computes the network: auto, onnxruntime or torch")
    parser.add_argument(
        "--threads", type=at_least_1, metavar="N", help="CPU threads of the network; default: torch's choice"
    )
    parser.add_argument("--share", action="store_true", help="also serve at a public gradio.live address")
    add_options(parser)
    args = parser.parse_args()
    args.hosting = hosting(args, parser)
    try:  # gradio reads it when it is imported, even where --port is given
        port(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    except argparse.ArgumentTypeError as error:
        parser.error(f"GRADIO_SERVER_PORT: {error}")
    return args


def refused(device: str, precision: str) -> str | None:
    """Why these cannot be had here. What is automatic can, and is not asked about: that would load torch, for which the
    page does not wait."""
    if (device, precision) == ("auto", "auto"):
        return None
    from core.device import resolve_device, resolve_precision
    from core.errors import RequestError

    try:
        resolve_precision(precision, resolve_device(device))
    except RequestError as error:
        return str(error)
    return None


def further(given: list[str], root: Path) -> list[Located]:
    """What --checkpoint names, downloaded if need be. Raises CheckpointError."""
    from core.errors import CheckpointError
    from core.hub import locate
    from core.layouts import find_checkpoints, layout_of

    found, names = [], {folder.name for folder in find_checkpoints(root)}
    for text in given:
        one = locate(text)
        layout_of(one.path)
        if one.name in names:
            raise CheckpointError(f"Two checkpoints are called {one.name}: leave one out, or rename a folder.")
        names.add(one.name)
        found.append(one)
        for note in one.notes:
            print(f"{one.name}: {note}", flush=True)
    return found


def main() -> int:
    args = arguments()
    from demo import scratch

    scratch.use()
    from demo.guesses import checking
    from demo.host import EngineHost
    from demo.live import Live
    from demo.page import app_options, build_page, launch_options

    if (error := refused(args.device, args.precision)) is not None:
        print(error, file=sys.stderr)
        return 2
    from core.errors import CheckpointError

    try:
        more = further(args.checkpoint, args.checkpoints)
    except CheckpointError as error:
        print(error, file=sys.stderr)
        return 2
    asked = args.hosting
    configure(asked.log_level)
    host = EngineHost(
        args.checkpoints, args.device, args.precision, args.threads, asked.api_minutes, args.backend, more,
        limits=asked.limits, public=asked.public, allow_checkpoints=asked.allow_checkpoints,
    )  # fmt: skip
    if not host.names():
        print(f"No checkpoint under {args.checkpoints}: put a folder in diffusers' layout there.", file=sys.stderr)
        return 2
    page = build_page(host, asked.queue_size)
    host.compute.claim()
    try:
        page.launch(
            server_name=args.host, server_port=args.port, inbrowser=not args.no_browser, prevent_thread_lock=True,
            ssr_mode=False, quiet=True, share=args.share, auth=asked.auth and checking(*asked.auth),
            app_kwargs=app_options(Live(host)), **launch_options(host),
        )  # fmt: skip
    except (OSError, OverflowError) as error:  # the latter when it looks for a free port above 65535
        print(f"The page could not be served: {error} Choose another --port.", file=sys.stderr)
        return 2
    print(f"DDIM explorer: {page.local_url}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # an orderly end removes temporary files
    host.preload()
    try:
        host.compute.serve()  # the page is served by a thread of its own; this one computes
    except KeyboardInterrupt:
        page.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
