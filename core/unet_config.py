"""The settings of a U-Net, read from and written to diffusers' ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields

from core.errors import CheckpointError
from core.json_files import Fields, shown

FILE = "config.json"
NETWORK = "UNet2DModel"

# Bounds that no published network comes near, and beyond which a file is a mistake or a trap.
MAX_LEVELS, MAX_LAYERS, MAX_WIDTH, MAX_SIDE = 12, 32, 8192, 8192
MAX_CLASSES = 100_000

# Settings of UNet2DModel that we do not build. A file may name them only at these values,
# because ignoring another value would give a network that loads strictly and samples wrongly.
_FIXED: dict[str, object] = {
    "attn_norm_num_groups": None,
    "center_input_sample": False,
    "class_embed_type": None,
    "downsample_type": "conv",
    "mid_block_scale_factor": 1,
    "mid_block_type": "UNetMidBlock2D",
    "num_train_timesteps": None,
    "resnet_time_scale_shift": "default",
    "time_embedding_dim": None,
    "time_embedding_type": "positional",
    "upsample_type": "conv",
}

# What diffusers' EMAModel writes beside the settings of the network whose average it keeps.
_OF_EMA = frozenset({
    "decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step", "use_ema_warmup",
})  # fmt: skip


@dataclass(frozen=True)
class UNetConfig:
    """A DDPM-style ``UNet2DModel``. Defaults are diffusers' own, so an omitted key means the same in both.

    sample_size: the side of a square picture in pixels, or (height, width) of another.
    num_class_embeds: how many classes the network was told of in training, or None for one without labels.
    """

    sample_size: int | tuple[int, int]
    in_channels: int = 3
    out_channels: int = 3
    block_out_channels: tuple[int, ...] = (224, 448, 672, 896)
    down_block_types: tuple[str, ...] = ("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D")
    up_block_types: tuple[str, ...] = ("AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D")
    layers_per_block: int = 2
    downsample_padding: int = 1
    flip_sin_to_cos: bool = True
    freq_shift: int = 0
    norm_eps: float = 1e-5
    norm_num_groups: int = 32
    attention_head_dim: int | None = 8
    add_attention: bool = True
    dropout: float = 0.0
    num_class_embeds: int | None = None

    def __post_init__(self) -> None:
        levels = len(self.block_out_channels)
        if not (levels == len(self.down_block_types) == len(self.up_block_types) >= 1):
            raise CheckpointError(
                "config.json must list as many down_block_types and up_block_types as block_out_channels."
            )
        for kinds, known in (
            (self.down_block_types, {"DownBlock2D", "AttnDownBlock2D"}),
            (self.up_block_types, {"UpBlock2D", "AttnUpBlock2D"}),
        ):
            if odd := sorted(set(kinds) - known):
                raise CheckpointError(f"config.json uses block {shown(odd[0])}; this engine builds {sorted(known)}.")
        if any(side % 2 ** (levels - 1) for side in self.size):
            raise CheckpointError(
                f"sample_size {shown(self.sample_size)} must be divisible by {2 ** (levels - 1)} for {levels} levels."
            )
        if self.freq_shift >= self.block_out_channels[0] // 2:
            raise CheckpointError(
                f"freq_shift {self.freq_shift} leaves no frequencies for the {self.block_out_channels[0]} channels of "
                "the first level: it is 0 or 1 in every published config.json."
            )
        for i, c in enumerate(self.block_out_channels):
            attends = "Attn" in self.down_block_types[i] + self.up_block_types[-1 - i] or (
                self.add_attention and i == levels - 1
            )
            if c % self.norm_num_groups or (attends and self.attention_head_dim and c % self.attention_head_dim):
                raise CheckpointError(
                    f"Width {c} must be divisible by norm_num_groups ({self.norm_num_groups}), "
                    f"and where there is attention by attention_head_dim ({self.attention_head_dim})."
                )

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of a picture in pixels."""
        return self.sample_size if isinstance(self.sample_size, tuple) else (self.sample_size, self.sample_size)

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> UNetConfig:
        """Raises CheckpointError, naming the key, for anything this engine would build differently."""
        if config.get("_class_name", NETWORK) != NETWORK:
            raise CheckpointError(f"{FILE} is of {shown(config['_class_name'])}; this engine builds {NETWORK} only.")
        own = {f.name: f.default for f in fields(cls)} | {"act_fn": "silu"}
        for key, value in config.items():
            if key.startswith("_") or key in _OF_EMA or key in own:
                continue  # _class_name, _diffusers_version
            if key not in _FIXED:
                raise CheckpointError(f"{FILE} has the unknown setting {shown(key)}: this engine cannot honour it.")
            if value != _FIXED[key]:
                raise CheckpointError(f"{FILE} sets {key} to {shown(value)}; this engine builds {_FIXED[key]!r} only.")
        found = Fields(FILE, config, {key: None if value is MISSING else value for key, value in own.items()})
        found.choice("act_fn", ("silu", "swish"))  # two names of one function
        head, classes = found.value("attention_head_dim"), found.value("num_class_embeds")
        return cls(
            sample_size=_size(found),
            in_channels=found.whole("in_channels", 1, MAX_WIDTH),
            out_channels=found.whole("out_channels", 1, MAX_WIDTH),
            block_out_channels=found.wholes("block_out_channels", MAX_LEVELS, 1, MAX_WIDTH),
            down_block_types=_blocks(found, "down_block_types"),
            up_block_types=_blocks(found, "up_block_types"),
            layers_per_block=found.whole("layers_per_block", 1, MAX_LAYERS),
            downsample_padding=found.whole("downsample_padding", 0, 1),
            flip_sin_to_cos=found.flag("flip_sin_to_cos"),
            freq_shift=found.whole("freq_shift", 0, MAX_WIDTH),
            norm_eps=found.number("norm_eps", 0, 1),
            norm_num_groups=found.whole("norm_num_groups", 1, MAX_WIDTH),
            attention_head_dim=None if head is None else found.whole("attention_head_dim", 1, MAX_WIDTH),
            add_attention=found.flag("add_attention"),
            dropout=found.number("dropout", -1e-9, 1),
            num_class_embeds=None if classes is None else found.whole("num_class_embeds", 1, MAX_CLASSES),
        )

    def to_config(self) -> dict[str, object]:
        """The ``config.json`` that diffusers reads."""
        return {"_class_name": NETWORK, **asdict(self), "act_fn": "silu", **_FIXED}


def _size(found: Fields) -> int | tuple[int, int]:
    value = found.value("sample_size")
    if value is None:
        raise CheckpointError(f"{FILE} gives no sample_size: add the picture's side in pixels, or [height, width].")
    if not isinstance(value, (list, tuple)):
        return found.whole("sample_size", 1, MAX_SIDE)
    sides = found.wholes("sample_size", 2, 1, MAX_SIDE)
    if len(sides) != 2:
        raise found.refuse("sample_size", "a side in pixels, or [height, width]")
    return sides[0] if sides[0] == sides[1] else (sides[0], sides[1])


def _blocks(found: Fields, key: str) -> tuple[str, ...]:
    value = found.value(key)
    good = isinstance(value, (list, tuple)) and 1 <= len(value) <= MAX_LEVELS
    if not good or not all(isinstance(kind, str) for kind in value):  # type: ignore[attr-defined]
        raise found.refuse(key, f"a list of 1 to {MAX_LEVELS} names of blocks")
    return tuple(value)  # type: ignore[arg-type]
