"""The look of the page: one accent, system type, quiet surfaces. Light and dark."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

CSS = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def theme() -> gr.themes.Base:
    """Monochrome passes the contrast checks that the default theme fails; only its type is changed."""
    system = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
    return gr.themes.Monochrome(font=system, font_mono=mono, radius_size=gr.themes.sizes.radius_md)
