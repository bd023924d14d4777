"""``python app.py``: open the DDIM explorer in the browser."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # the page asks no outside host

CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    parser.add_argument("--port", type=int, help="default: GRADIO_SERVER_PORT, or the first free from 7860")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, help="folder of checkpoint folders")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, mps")
    parser.add_argument("--precision", default="auto", help="auto (fp32), fp32, bf16, fp16")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    from demo.host import EngineHost
    from demo.page import build_page, launch_options

    host = EngineHost(args.checkpoints, args.device, args.precision)
    if not host.names():
        print(f"No checkpoint under {args.checkpoints}: put a folder in diffusers' layout there.", file=sys.stderr)
        return 2
    page = build_page(host)
    page.queue(default_concurrency_limit=4, max_size=64)
    try:
        page.launch(
            server_name=args.host, server_port=args.port, inbrowser=not args.no_browser, prevent_thread_lock=True,
            ssr_mode=False, quiet=True, **launch_options(),
        )  # fmt: skip
    except OSError as error:
        print(f"The page could not be served: {error} Choose another --port.", file=sys.stderr)
        return 2
    print(f"DDIM explorer: {page.local_url}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # an orderly end removes temporary files
    host.preload()
    page.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
