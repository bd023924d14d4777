"""The views, in the order of their tabs. A further one is a folder here, and a line below and in demo/settings.py."""

from demo.view import View
from demo.views import branches, compare, explore, grid, interpolate, learn, picture, reproduce, tradeoff

VIEWS: tuple[View, ...] = (
    explore.VIEW, compare.VIEW, interpolate.VIEW, picture.VIEW, branches.VIEW, grid.VIEW, tradeoff.VIEW,
    reproduce.VIEW, learn.VIEW,
)  # fmt: skip
