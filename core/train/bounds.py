"""How large a network, a batch and a learning rate training takes: bounds beyond any sense, within any machine."""

from __future__ import annotations

from core.errors import RequestError
from core.plain_numbers import whole_numbers

MAX_WIDTH, MAX_LEVELS = 4096, 10  # channels of a level, levels
MAX_SIDE = 1024  # pixels
MAX_TRAIN_BATCH = 8192
MAX_LR = 10.0
MAX_PARAMETERS = 500_000_000  # 8 GB of weights, their average and Adam's two


def net_widths(text: str, option: str) -> tuple[int, ...]:
    """ "32,64,128" → (32, 64, 128), the channels of each level. Raises RequestError for none or odd ones."""
    widths = whole_numbers(text, option)
    if not 1 <= len(widths) <= MAX_LEVELS or not all(1 <= width <= MAX_WIDTH for width in widths):
        raise RequestError(
            f"{option} must be 1 to {MAX_LEVELS} widths with commas, each from 1 to {MAX_WIDTH}, such as 32,64,128."
        )
    return widths


def require_size(parameters: int) -> None:
    """Raises RequestError for a network of more weights than MAX_PARAMETERS."""
    if parameters > MAX_PARAMETERS:
        raise RequestError(
            f"This network has {parameters / 1e6:,.0f} million weights, more than {MAX_PARAMETERS // 10**6}: make "
            "--channels or --layers smaller."
        )
