"""The settings of a U-Net, read from and written to diffusers' ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from core.errors import CheckpointError

# Settings of UNet2DModel that we do not build. A file may name them only at these values,
# because ignoring another value would give a network that loads strictly and samples wrongly.
_FIXED: dict[str, object] = {
    "act_fn": "silu",
    "attn_norm_num_groups": None,
    "center_input_sample": False,
    "class_embed_type": None,
    "downsample_type": "conv",
    "mid_block_scale_factor": 1,
    "mid_block_type": "UNetMidBlock2D",
    "num_class_embeds": None,
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
    """A DDPM-style ``UNet2DModel``. Defaults are diffusers' own, so an omitted key means the same in both."""

    sample_size: int
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
                raise CheckpointError(f"config.json uses block {odd[0]!r}; this engine builds {sorted(known)}.")
        if self.sample_size % 2 ** (levels - 1):
            raise CheckpointError(
                f"sample_size {self.sample_size} must be divisible by {2 ** (levels - 1)} for {levels} levels."
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

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> UNetConfig:
        """Raises CheckpointError, naming the key, for anything this engine would build differently."""
        known = {f.name for f in fields(cls)}
        values: dict[str, object] = {}
        for key, value in config.items():
            if key.startswith("_") or key in _OF_EMA:
                continue  # _class_name, _diffusers_version
            if key in known:
                values[key] = tuple(value) if isinstance(value, list) else value
            elif key not in _FIXED:
                raise CheckpointError(f"config.json has the unknown setting {key!r}: this engine cannot honour it.")
            elif value != _FIXED[key]:
                raise CheckpointError(f"config.json sets {key} to {value!r}; this engine builds {_FIXED[key]!r} only.")
        size = values.get("sample_size")
        if isinstance(size, tuple):
            if len(set(size)) != 1:
                raise CheckpointError(f"config.json asks for {size} pictures; this engine makes square ones.")
            values["sample_size"] = size[0]
        elif size is None:
            raise CheckpointError("config.json gives no sample_size: add the picture's side in pixels.")
        try:
            return cls(**values)  # type: ignore[arg-type]
        except (TypeError, ArithmeticError) as error:  # such as a string for a number, or zero groups
            raise CheckpointError(f"config.json does not describe a network ({error}): restore it.") from error

    def to_config(self) -> dict[str, object]:
        """The ``config.json`` that diffusers reads."""
        return {"_class_name": "UNet2DModel", **asdict(self), **_FIXED}
