"""``python mounted.py FOLDER PORT``: the page inside somebody's own FastAPI app, under /demo."""

import sys
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI

from demo.host import EngineHost
from demo.live import Live
from demo.page import app_options, build_page, launch_options

PATH = "/demo"


def main(folder, port):
    host = EngineHost(Path(folder), threads=1)
    options = launch_options(host)
    app = gr.mount_gradio_app(FastAPI(), build_page(host), path=PATH, app_kwargs=app_options(Live(host)), **options)
    uvicorn.run(app, port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
