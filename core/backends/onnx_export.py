"""A U-Net as an ONNX model, in standard operators that ONNX Runtime computes fast on a CPU.

The forward pass of core/unet.py written once more, as a graph: nothing is traced, so torch's exporter,
its global state and its dependencies stay out, and 18 MB of weights take about 0.1 s. What pays and
what does not: docs/performance.md.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.backends.onnx_graph import Graph
from core.errors import BackendError
from core.unet import AttentionBlock, Downsample, ResnetBlock, Stage, UNet, Upsample

EXPORT_VERSION = 1
"""Raise it with every change of what is written here: cached files of another version are not used."""

INPUT, TIME, LABEL, OUTPUT, BATCH, TIMES = "x", "t", "label", "prediction", "batch", "times"


def export(unet: UNet) -> bytes:
    """The model file of a U-Net in eval mode: x (batch, C, H, W) and t (times,) float32 → (batch, C_out, H, W).

    ``batch`` is free, ``times`` is 1 or ``batch``; H and W are the configuration's sample_size. A
    network with classes has a third input, label (1,) int64: the class of all pictures. Only reads
    the weights, in any thread. Raises BackendError where the file would pass protobuf's 2 GB.
    """
    try:
        return _Export(unet).to_bytes()
    except OverflowError as error:
        raise BackendError(f"This network is too large for ONNX ({error}): use the torch backend.") from error


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().to("cpu", torch.float32).numpy()
    return array


Size = tuple[int, int]  # height, width


class _Export:
    """One export. Values are names in the graph; shapes in comments are of the tensors behind them."""

    def __init__(self, unet: UNet) -> None:
        self.unet, self.graph = unet, Graph()

    def to_bytes(self) -> bytes:
        config, graph = self.unet.config, self.graph
        size = config.size
        x = graph.input(INPUT, [BATCH, config.in_channels, *size])
        shifts = self.time_shifts(graph.input(TIME, [TIMES]))
        h = self.conv(self.unet.conv_in, x)
        skips = [h]
        for stage in self.unet.down_blocks:
            assert isinstance(stage, Stage)
            for i in range(len(stage.resnets)):
                h = self.layer(stage, i, h, shifts, size)
                skips.append(h)
            if stage.downsamplers is not None:
                h, size = self.downsample(stage.downsamplers[0], h), (size[0] // 2, size[1] // 2)  # type: ignore[arg-type]
                skips.append(h)
        first, second = self.unet.mid_block.resnets
        h = self.resnet(first, h, shifts, size)  # type: ignore[arg-type]
        for attention in self.unet.mid_block.attentions:
            h = self.attention(attention, h, size)  # type: ignore[arg-type]
        h = self.resnet(second, h, shifts, size)  # type: ignore[arg-type]
        for stage in self.unet.up_blocks:
            assert isinstance(stage, Stage)
            for i in range(len(stage.resnets)):
                h = self.layer(stage, i, graph.add("Concat", h, skips.pop(), axis=1), shifts, size)
            if stage.upsamplers is not None:
                h, size = self.upsample(stage.upsamplers[0], h), (size[0] * 2, size[1] * 2)  # type: ignore[arg-type]
        h = self.conv(self.unet.conv_out, self.silu(self.norm(self.unet.conv_norm_out, h, size)))
        graph.output(h, [BATCH, config.out_channels, *size], OUTPUT)
        return graph.to_bytes(f"ddim-explorer {EXPORT_VERSION}")

    def layer(self, stage: Stage, i: int, x: str, shifts: dict[nn.Module, str], size: Size) -> str:
        x = self.resnet(stage.resnets[i], x, shifts, size)  # type: ignore[arg-type]
        return x if stage.attentions is None else self.attention(stage.attentions[i], x, size)  # type: ignore[arg-type]

    def time_shifts(self, t: str) -> dict[nn.Module, str]:
        """What each ResnetBlock adds for the time, (times, C, 1, 1): all projections in one product."""
        graph, embedding, config = self.graph, self.unet.time_embedding, self.unet.config
        half = embedding.channels // 2
        exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32) / (half - config.freq_shift)
        angle = graph.add("Mul", graph.add("Unsqueeze", t, graph.ints(1)), self.weight(torch.exp(exponent)[None]))
        sin, cos = graph.add("Sin", angle), graph.add("Cos", angle)
        h = graph.add("Concat", *([cos, sin] if config.flip_sin_to_cos else [sin, cos]), axis=1)
        if embedding.channels % 2:
            h = graph.add("Pad", h, graph.ints(0, 0, 0, 1))
        h = self.linear(embedding.linear_2, self.silu(self.linear(embedding.linear_1, h)))
        if (classes := self.unet.class_embedding) is not None:
            label = graph.whole_input(LABEL, [1])
            h = graph.add("Add", h, graph.add("Gather", self.weight(classes.weight), label))

        resnets = [module for module in self.unet.modules() if isinstance(module, ResnetBlock)]
        weight = torch.cat([resnet.time_emb_proj.weight for resnet in resnets])
        bias = torch.cat([resnet.time_emb_proj.bias for resnet in resnets])
        h = graph.add("Gemm", self.silu(h), self.weight(weight), self.weight(bias), transB=1)
        h = graph.add("Reshape", h, graph.ints(0, -1, 1, 1))
        widths = graph.ints(*(resnet.time_emb_proj.out_features for resnet in resnets))
        return dict(zip(resnets, graph.split("Split", h, widths, outputs=len(resnets), axis=1), strict=True))

    def resnet(self, block: ResnetBlock, x: str, shifts: dict[nn.Module, str], size: Size) -> str:
        h = self.conv(block.conv1, self.silu(self.norm(block.norm1, x, size)))
        h = self.graph.add("Add", h, shifts[block])
        h = self.conv(block.conv2, self.silu(self.norm(block.norm2, h, size)))
        return self.graph.add("Add", h, x if block.conv_shortcut is None else self.conv(block.conv_shortcut, x))

    def attention(self, block: AttentionBlock, x: str, size: Size) -> str:
        graph, heads, inner = self.graph, block.heads, block.to_q.out_features
        scale = (inner // heads) ** -0.5  # goes into q's weights
        h = graph.add("Reshape", self.norm(block.group_norm, x, size), graph.ints(0, -1, size[0] * size[1]))
        h = graph.add("Transpose", h, perm=[0, 2, 1])  # (N, HW, C)
        weight = torch.cat([block.to_q.weight * scale, block.to_k.weight, block.to_v.weight])
        bias = torch.cat([block.to_q.bias * scale, block.to_k.bias, block.to_v.bias])
        h = graph.add("Add", graph.add("MatMul", h, self.weight(weight.T)), self.weight(bias))

        def split(y: str, perm: list[int]) -> str:  # (N, HW, inner) → (N, heads, HW, d), or (N, heads, d, HW)
            return graph.add("Transpose", graph.add("Reshape", y, graph.ints(0, 0, heads, inner // heads)), perm=perm)

        q, k, v = graph.split("Split", h, outputs=3, axis=2)
        a = graph.add("Softmax", graph.add("MatMul", split(q, [0, 2, 1, 3]), split(k, [0, 2, 3, 1])), axis=-1)
        a = graph.add("Transpose", graph.add("MatMul", a, split(v, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
        a = graph.add("Reshape", a, graph.ints(0, 0, inner))
        out = block.to_out[0]
        assert isinstance(out, nn.Linear)
        a = graph.add("Add", graph.add("MatMul", a, self.weight(out.weight.T)), self.weight(out.bias))
        a = graph.add("Reshape", graph.add("Transpose", a, perm=[0, 2, 1]), graph.ints(0, -1, *size))
        return graph.add("Add", x, a)

    def downsample(self, block: Downsample, x: str) -> str:
        return self.conv(block.conv, x, pads=None if block.padding else [0, 0, 1, 1])  # right and bottom, as there

    def upsample(self, block: Upsample, x: str) -> str:
        scales = self.graph.weight(np.array([1, 1, 2, 2], np.float32))
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.conv(block.conv, self.graph.add("Resize", x, "", scales, **how))

    def conv(self, conv: nn.Conv2d, x: str, pads: list[int] | None = None) -> str:
        assert conv.bias is not None
        assert isinstance(conv.padding, tuple)
        pads = [*conv.padding, *conv.padding] if pads is None else pads
        shape = {"kernel_shape": list(conv.kernel_size), "strides": list(conv.stride)}
        return self.graph.add("Conv", x, self.weight(conv.weight), self.weight(conv.bias), pads=pads, **shape)

    def norm(self, norm: nn.GroupNorm, x: str, size: Size) -> str:
        """Group norm as instance norm of whole groups: a kernel of two passes, exact where a mean is large."""
        graph, groups = self.graph, norm.num_groups
        ones, zeros = graph.weight(np.ones(groups, np.float32)), graph.weight(np.zeros(groups, np.float32))
        h = graph.add("Reshape", x, graph.ints(0, groups, -1))
        h = graph.add("InstanceNormalization", h, ones, zeros, epsilon=float(norm.eps))
        h = graph.add("Reshape", h, graph.ints(0, -1, *size))
        h = graph.add("Mul", h, self.weight(norm.weight[:, None, None]))
        return graph.add("Add", h, self.weight(norm.bias[:, None, None]))

    def linear(self, linear: nn.Linear, x: str) -> str:
        return self.graph.add("Gemm", x, self.weight(linear.weight), self.weight(linear.bias), transB=1)

    def silu(self, x: str) -> str:
        return self.graph.add("Mul", x, self.graph.add("Sigmoid", x))  # ONNX Runtime makes one kernel of it

    def weight(self, tensor: Tensor) -> str:
        return self.graph.weight(_array(tensor))
