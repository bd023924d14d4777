"""``python -m tests.load``: see tests/load/__init__.py. Prints a table, and JSON to a file if asked."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.load.run import Load, loaded
from tests.load.server import Server
from tests.load.tally import table

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--clients", type=int, help="half of them call the API, half are tabs")
    parser.add_argument("--api", type=int, help="callers of /sample")
    parser.add_argument("--live", type=int, help="tabs of the page")
    parser.add_argument("--python", type=int, default=0, help="callers through gradio_client")
    parser.add_argument("--browsers", type=int, default=0, help="pages in Chromium that drag (needs Playwright)")
    parser.add_argument("--leavers", type=int, default=0, help="callers that go away in the middle of a long call")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=16, help="pictures in a tab's samples")
    parser.add_argument("--checkpoints", default="toon-faces,fashion-mnist", help="of the tabs, in turn")
    parser.add_argument("--apart", action="store_true", help="no two calls share a batch, to see what that brings")
    parser.add_argument("--results-mb", type=int, help="what the server keeps of results, so that it is soon full")
    parser.add_argument("--url", help="a running page on this machine; default: one of its own")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    if args.url is not None and urlsplit(args.url).hostname not in LOOPBACK:
        parser.error("--url must be on this machine: what is measured here would be an attack elsewhere.")
    return args


def main() -> int:
    args = arguments()
    clients = args.clients if args.clients is not None else (args.api or 0) + (args.live or 0) or 50
    live = args.live if args.live is not None else clients - (args.api if args.api is not None else clients // 2)
    api = args.api if args.api is not None else clients - live
    load = Load(
        api, live, args.leavers, args.python, args.browsers, args.seconds, args.seed, args.count,
        tuple(args.checkpoints.split(",")),
    )  # fmt: skip
    if args.url is not None:
        found = asyncio.run(loaded(args.url.rstrip("/") + "/", load))
    else:
        with Server(apart=args.apart, results_mb=args.results_mb) as server:
            found = asyncio.run(loaded(server.url, load, server))
            found["status"], said = server.end(), server.said
            found["files_after_the_end"], found["bytes_after_the_end"] = server.files()
            print(said, file=sys.stderr)
    print(table(found["clients"]), "\n")
    for name in ("usage", "before", "after", "status", "files_after_the_end"):
        print(f"{name}: {json.dumps(found.get(name))}")
    for name, one in found["clients"].items():
        if one["notes"]:
            print(f"{name}: {one['notes']}")
    if args.json is not None:
        args.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
