"""The DDIM authors' network and sampler as their code describes them, under their names: an oracle of its own."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def norm(channels):
    return nn.GroupNorm(32, channels, eps=1e-6)


class Block(nn.Module):
    def __init__(self, a, b, width):
        super().__init__()
        self.norm1, self.conv1 = norm(a), nn.Conv2d(a, b, 3, padding=1)
        self.temb_proj = nn.Linear(width, b)
        self.norm2, self.conv2 = norm(b), nn.Conv2d(b, b, 3, padding=1)
        if a != b:
            self.nin_shortcut = nn.Conv2d(a, b, 1)

    def forward(self, x, temb):
        h = self.conv1(F.silu(self.norm1(x))) + self.temb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm = norm(c)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(c, c, 1) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (f(h).flatten(2) for f in (self.q, self.k, self.v))  # (B, C, HW)
        w = (torch.einsum("bci,bcj->bij", q, k) * x.shape[1] ** -0.5).softmax(2)
        return x + self.proj_out(torch.einsum("bij,bcj->bci", w, v).view_as(x))


class Level(nn.Module):
    def __init__(self, widths, attends, width, sampler=None):
        super().__init__()
        self.block = nn.ModuleList(Block(a, b, width) for a, b in widths)
        self.attn = nn.ModuleList(Attention(b) for _, b in widths) if attends else nn.ModuleList()
        if sampler:
            setattr(self, sampler, nn.Module())
            stride = {"stride": 2} if sampler == "downsample" else {"padding": 1}
            getattr(self, sampler).conv = nn.Conv2d(widths[-1][1], widths[-1][1], 3, **stride)

    def run(self, i, x, temb):
        x = self.block[i](x, temb)
        return self.attn[i](x) if len(self.attn) else x


class AuthorsNet(nn.Module):
    def __init__(self, ch=32, mult=(1, 2), layers=1, attends=1, channels=3):
        super().__init__()
        self.ch, self.layers, width = ch, layers, 4 * ch
        self.temb = nn.Module()
        self.temb.dense = nn.ModuleList([nn.Linear(ch, width), nn.Linear(width, width)])
        self.conv_in = nn.Conv2d(channels, ch, 3, padding=1)
        skips, c, downs, last = [ch], ch, [], len(mult) - 1
        for i, m in enumerate(mult):
            widths = [(c if j == 0 else ch * m, ch * m) for j in range(layers)]
            downs.append(Level(widths, i == attends, width, "downsample" if i < last else None))
            c = ch * m
            skips += [c] * (layers + (i < last))
        self.down, self.mid = nn.ModuleList(downs), nn.Module()
        self.mid.block_1, self.mid.attn_1, self.mid.block_2 = Block(c, c, width), Attention(c), Block(c, c, width)
        ups = []
        for i, m in reversed(list(enumerate(mult))):
            widths = []
            for _ in range(layers + 1):
                widths.append((c + skips.pop(), ch * m))
                c = ch * m
            ups.insert(0, Level(widths, i == attends, width, "upsample" if i > 0 else None))  # the widest is 0
        self.up = nn.ModuleList(ups)
        self.norm_out, self.conv_out = norm(c), nn.Conv2d(c, channels, 3, padding=1)

    def forward(self, x, t):
        half = self.ch // 2
        angle = t.float()[:, None] * torch.exp(-math.log(10000) / (half - 1) * torch.arange(half))[None]
        temb = torch.cat([angle.sin(), angle.cos()], 1)
        temb = self.temb.dense[1](F.silu(self.temb.dense[0](temb)))
        skips = [self.conv_in(x)]
        for level in self.down:
            for i in range(self.layers):
                skips.append(level.run(i, skips[-1], temb))
            if hasattr(level, "downsample"):
                skips.append(level.downsample.conv(F.pad(skips[-1], (0, 1, 0, 1))))
        h = self.mid.block_2(self.mid.attn_1(self.mid.block_1(skips[-1], temb)), temb)
        for level in reversed(self.up):
            for i in range(self.layers + 1):
                h = level.run(i, torch.cat([h, skips.pop()], 1), temb)
            if hasattr(level, "upsample"):
                h = level.upsample.conv(F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return self.conv_out(F.silu(self.norm_out(h)))


def loud(net, seed=1):
    """Weights that make every setting matter, norms near 1 and a large gain of q and k; the times are kept soft, since
    the last bits of their sines are not the same in both codes."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in net.named_parameters():
            noise = torch.randn(p.shape, generator=rng)
            if "norm" in name:
                p.copy_((1.0 if name.endswith("weight") else 0.0) + 0.1 * noise)
            elif name.endswith("bias"):
                p.copy_(0.1 * noise)
            else:
                gain = 2.0 if ".q." in name or ".k." in name else 0.3 if "temb" in name else 1.0
                p.copy_(gain * noise / p[0].numel() ** 0.5)
    return net.eval()


@torch.no_grad()
def authors_ddim(net, x, steps, T=1000):
    """Their deterministic sampler with skip_type "uniform"."""
    alpha = torch.cumprod(1 - torch.cat([torch.zeros(1), torch.linspace(1e-4, 0.02, T)]).double(), 0)  # index t + 1
    seq = list(range(0, T, T // steps))
    for i, j in zip(reversed(seq), reversed([-1, *seq[:-1]]), strict=True):
        at, at_next = float(alpha[i + 1]), float(alpha[j + 1])
        e = net(x, torch.full((len(x),), i))
        x0 = (x - e * (1 - at) ** 0.5) / at**0.5
        x = at_next**0.5 * x0 + (1 - at_next) ** 0.5 * e
    return x
