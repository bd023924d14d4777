"""The network: a U-Net whose keys and arithmetic equal diffusers' ``UNet2DModel``.

Only DDPM-style configurations are built (see ``core.unet_config``). Module names are part of the
file format: they make the keys of ``diffusion_pytorch_model.safetensors`` line up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.errors import NetworkError
from core.unet_config import UNetConfig


class TimestepEmbedding(nn.Module):
    """Sinusoids of t (B,), then an MLP: (B,) → (B, 4·c0)."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.channels, self.config = config.block_out_channels[0], config
        width = 4 * self.channels
        self.linear_1, self.linear_2 = nn.Linear(self.channels, width), nn.Linear(width, width)

    def sinusoids(self, t: Tensor) -> Tensor:
        half = self.channels // 2
        exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32, device=t.device)
        angle = t[:, None].float() * torch.exp(exponent / (half - self.config.freq_shift))[None, :]
        sin, cos = torch.sin(angle), torch.cos(angle)
        emb = torch.cat([cos, sin] if self.config.flip_sin_to_cos else [sin, cos], dim=-1)
        return F.pad(emb, (0, self.channels % 2))

    def forward(self, t: Tensor) -> Tensor:
        return self.linear_2(F.silu(self.linear_1(self.sinusoids(t))))


class ResnetBlock(nn.Module):
    """GroupNorm–SiLU–conv twice, with the time embedding added between; a 1×1 shortcut if widths differ."""

    def __init__(self, c_in: int, c_out: int, config: UNetConfig) -> None:
        super().__init__()
        groups, eps = config.norm_num_groups, config.norm_eps
        self.norm1 = nn.GroupNorm(groups, c_in, eps=eps)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.time_emb_proj = nn.Linear(4 * config.block_out_channels[0], c_out)
        self.norm2 = nn.GroupNorm(groups, c_out, eps=eps)
        self.dropout = nn.Dropout(config.dropout)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else None

    def forward(self, x: Tensor, temb: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time_emb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(self.dropout(F.silu(self.norm2(h))))
        return h + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class AttentionBlock(nn.Module):
    """Self-attention over the H·W positions, residual; Linear projections as in today's diffusers."""

    def __init__(self, channels: int, config: UNetConfig) -> None:
        super().__init__()
        head_dim = config.attention_head_dim or channels
        self.heads = channels // head_dim
        self.group_norm = nn.GroupNorm(config.norm_num_groups, channels, eps=config.norm_eps)
        inner = self.heads * head_dim
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, inner) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(inner, channels)])  # a list only for the key "to_out.0"

    def forward(self, x: Tensor) -> Tensor:
        b, c, height, width = x.shape
        h = self.group_norm(x).flatten(2).transpose(1, 2)  # (B, HW, C)

        def split(y: Tensor) -> Tensor:  # (B, HW, C) → (B, heads, HW, head_dim)
            return y.view(b, -1, self.heads, y.shape[-1] // self.heads).transpose(1, 2)

        a = F.scaled_dot_product_attention(split(self.to_q(h)), split(self.to_k(h)), split(self.to_v(h)))
        a = self.to_out[0](a.transpose(1, 2).flatten(2))
        return x + a.transpose(1, 2).reshape(b, c, height, width)


class Downsample(nn.Module):
    def __init__(self, channels: int, padding: int) -> None:
        super().__init__()
        self.padding = padding
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        if self.padding == 0:  # the authors' TensorFlow heritage: pad right and bottom only
            x = F.pad(x, (0, 1, 0, 1))
        return self.conv(x)


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Stage(nn.Module):
    """One resolution: resnets, each followed by attention where the config says so, then a resampler."""

    def __init__(
        self, widths: list[tuple[int, int]], attention: bool, config: UNetConfig, down: bool = False, up: bool = False
    ) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock(c_in, c_out, config) for c_in, c_out in widths])
        c = widths[-1][1]
        self.attentions = nn.ModuleList([AttentionBlock(c, config) for _ in widths]) if attention else None
        self.downsamplers = nn.ModuleList([Downsample(c, config.downsample_padding)]) if down else None
        self.upsamplers = nn.ModuleList([Upsample(c)]) if up else None

    def layer(self, i: int, x: Tensor, temb: Tensor) -> Tensor:
        x = self.resnets[i](x, temb)
        return x if self.attentions is None else self.attentions[i](x)


class MidBlock(nn.Module):
    def __init__(self, channels: int, config: UNetConfig) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock(channels, channels, config) for _ in range(2)])
        self.attentions = nn.ModuleList([AttentionBlock(channels, config)] if config.add_attention else [])

    def forward(self, x: Tensor, temb: Tensor) -> Tensor:
        x = self.resnets[0](x, temb)
        for attention in self.attentions:
            x = attention(x)
        return self.resnets[1](x, temb)


class UNet(nn.Module):
    """ε_θ(x_t, t): x (B, C, H, W) in fp32 and t (B,) or a scalar in 0..T−1 → (B, C_out, H, W) in fp32.

    label: the class, 0..num_class_embeds − 1, (B,) or a scalar; only a network with classes takes one, and needs it.

    ``inner_dtype`` (an attribute, None or torch.bfloat16/float16) runs all but the first and last
    layers under autocast: with the ends in fp32 the pictures of a bf16 run stay much nearer fp32.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.inner_dtype: torch.dtype | None = None
        channels, layers, last = config.block_out_channels, config.layers_per_block, len(config.block_out_channels) - 1
        self.conv_in = nn.Conv2d(config.in_channels, channels[0], 3, padding=1)
        self.time_embedding = TimestepEmbedding(config)
        classes = config.num_class_embeds
        self.class_embedding = None if classes is None else nn.Embedding(classes, 4 * channels[0])

        downs, skips, c = [], [channels[0]], channels[0]
        for i, c_out in enumerate(channels):
            widths = [(c if j == 0 else c_out, c_out) for j in range(layers)]
            downs.append(Stage(widths, config.down_block_types[i].startswith("Attn"), config, down=i < last))
            skips += [c_out] * (layers + (i < last))
            c = c_out
        self.down_blocks = nn.ModuleList(downs)
        self.mid_block = MidBlock(c, config)
        ups = []
        for i, c_out in enumerate(reversed(channels)):
            widths = []
            for _ in range(layers + 1):
                widths.append((c + skips.pop(), c_out))
                c = c_out
            ups.append(Stage(widths, config.up_block_types[i].startswith("Attn"), config, up=i < last))
        self.up_blocks = nn.ModuleList(ups)
        self.conv_norm_out = nn.GroupNorm(config.norm_num_groups, channels[0], eps=config.norm_eps)
        self.conv_out = nn.Conv2d(channels[0], config.out_channels, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor | int, label: Tensor | int | None = None) -> Tensor:
        if (label is None) != (self.class_embedding is None):
            raise NetworkError("A network with classes takes a label, and one without takes none.")
        t = torch.as_tensor(t, device=x.device).expand(x.shape[0])
        if label is not None:
            label = torch.as_tensor(label, device=x.device).expand(x.shape[0])
        h = self.conv_in(x)
        if self.inner_dtype is None:
            h = self._inner(h, t, label)
        else:
            with torch.autocast(x.device.type, dtype=self.inner_dtype):
                h = self._inner(h, t, label)
            h = h.float()
        return self.conv_out(F.silu(self.conv_norm_out(h)))

    def _inner(self, h: Tensor, t: Tensor, label: Tensor | None) -> Tensor:
        temb = self.time_embedding(t)
        if self.class_embedding is not None:
            temb = temb + self.class_embedding(label)
        skips = [h]
        for stage in cast("Iterable[Stage]", self.down_blocks):
            for i in range(len(stage.resnets)):
                h = stage.layer(i, h, temb)
                skips.append(h)
            if stage.downsamplers is not None:
                h = stage.downsamplers[0](h)
                skips.append(h)
        h = self.mid_block(h, temb)
        for stage in cast("Iterable[Stage]", self.up_blocks):
            for i in range(len(stage.resnets)):
                h = stage.layer(i, torch.cat([h, skips.pop()], dim=1), temb)
            if stage.upsamplers is not None:
                h = stage.upsamplers[0](h)
        return h
