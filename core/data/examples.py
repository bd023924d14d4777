"""``examples.png`` beside a checkpoint: pictures of its data that it was not trained on, for whoever has none at hand.

python -m core examples HELD --size 64 --out checkpoints/NAME/examples.png
"""

from __future__ import annotations

import argparse
import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.arguments import path_from, whole_from
from core.atomic import write_atomically
from core.data.datasets import load_images
from core.errors import DataError, RequestError
from core.folders import require_files
from core.inputs import read_bounded

NAME, COLUMNS, MOST = "examples.png", 6, 48
MAX_FILE = 4 << 20  # bytes


def read_examples(folder: Path, size: int) -> NDArray[np.uint8]:
    """The pictures beside a checkpoint, N×size×size×3; none where there is no such file. Raises DataError for one that
    is no sheet of such pictures."""
    path = folder / NAME
    if not path.is_file():
        return np.zeros((0, size, size, 3), np.uint8)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(read_bounded(path, MAX_FILE)), formats=["PNG"]) as file:
                rows = file.height // size
                if file.size != (size * COLUMNS, size * rows) or not 0 < rows * COLUMNS <= MOST:
                    raise ValueError(f"it is {file.width}×{file.height}")
                page = np.asarray(file.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is no sheet of {size}×{size} pictures, {COLUMNS} in a row: make it again.") from error
    tiles = page.reshape(rows, size, COLUMNS, size, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(tiles.reshape(-1, size, size, 3))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=path_from, help="pictures that were not trained on: as for train")
    parser.add_argument("--size", type=whole_from(1, 256), required=True, help="side of the checkpoint's pictures")
    parser.add_argument("--n", type=whole_from(COLUMNS, MOST), default=24, help=f"how many, by sixes; up to {MOST}")
    parser.add_argument("--out", type=path_from, required=True, help="examples.png in the checkpoint's folder")


def run(args: argparse.Namespace) -> None:
    """The first n pictures, unselected, six in a row."""
    if args.out.suffix.lower() != ".png":
        raise RequestError("--out must end in .png.")
    if args.n % COLUMNS:
        raise RequestError(f"--n must be a multiple of {COLUMNS}, not {args.n}.")
    require_files(args.out)
    images = load_images(args.data, args.size)[: args.n]
    if len(images) < args.n:
        raise DataError(f"{args.data} holds {len(images)} pictures: give more, or a smaller --n.")
    tiles = images.transpose(0, 2, 3, 1)
    tiles = np.repeat(tiles, 3, axis=-1) if tiles.shape[-1] == 1 else tiles
    size = args.size
    rows = tiles.reshape(-1, COLUMNS, size, size, 3).transpose(0, 2, 1, 3, 4)
    page = Image.fromarray(np.ascontiguousarray(rows.reshape(-1, COLUMNS * size, 3)))
    write_atomically(args.out, lambda file: page.save(file, "PNG", optimize=True))
    print(f"{args.out}: {args.n} pictures")
