"""Picture files that Pillow does not write, and colour arithmetic apart from the library under test."""

import struct
import zlib

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])
D65 = np.array([0.95046, 1.0, 1.08906])
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def to_xyz(primaries):
    """Linear RGB → XYZ under D65, from chromaticities."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    return columns * np.linalg.solve(columns, D65)


def adapted(xyz, source, target):
    """XYZ seen under another white (Bradford)."""
    return np.linalg.solve(BRADFORD, (BRADFORD @ target) / (BRADFORD @ source) * (BRADFORD @ xyz))


def decoded(v):
    """sRGB 0..255 → linear 0..1."""
    v = np.asarray(v) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encoded(linear):
    """Linear 0..1 → sRGB 0..255."""
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def p3_as_srgb(rgb):
    return encoded(np.linalg.solve(to_xyz(SRGB), to_xyz(DISPLAY_P3) @ decoded(rgb)))


def lab_as_srgb(L, a, b):
    """CIELAB of D50 → sRGB."""
    y = (L + 16) / 116
    f = np.array([y + a / 500, y, y - b / 200])
    xyz = D50 * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return encoded(np.linalg.solve(to_xyz(SRGB), adapted(xyz, D50, D65)))


def fixed(*values):
    """s15Fixed16."""
    return b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def profile(space, pcs, tags):
    """An ICC profile (version 4) of these tags."""
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(body), b"", 0x04400000, b"mntr", space, pcs, bytes(12), b"acsp")
    head += bytes(28) + fixed(*D50) + bytes(48)
    return head + table + body


def p3_profile():
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags = {b"wtpt": b"XYZ " + bytes(4) + fixed(*D50)}
    for letter, xyz in zip((b"r", b"g", b"b"), to_xyz(DISPLAY_P3).T, strict=True):
        tags[letter + b"XYZ"] = b"XYZ " + bytes(4) + fixed(*adapted(xyz, D65, D50))
        tags[letter + b"TRC"] = curve
    return profile(b"RGB ", b"XYZ ", tags)


def linear_grey_profile():
    """Grey whose value is light itself."""
    tags = {b"wtpt": b"XYZ " + bytes(4) + fixed(*D50), b"kTRC": b"curv" + bytes(4) + struct.pack(">I", 0)}
    return profile(b"GRAY", b"XYZ ", tags)


def black_ink_profile():
    """CMYK of which only K prints, and L falls evenly with it."""
    ramp = bytes(range(256))
    nodes = b"".join(bytes((0 if node & 1 else 255, 128, 128)) for node in range(16))  # K changes fastest
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + ramp * 4 + nodes + ramp * 3
    return profile(b"CMYK", b"Lab ", {b"wtpt": b"XYZ " + bytes(4) + fixed(*D50), b"A2B0": lut})


def tiff(width, height, bits, data, white_is_zero=False, order="<"):
    """A grey TIFF of one strip."""
    entries = [(256, width), (257, height), (258, bits), (259, 1), (262, 0 if white_is_zero else 1),
               (273, 8), (277, 1), (278, height), (279, len(data))]  # fmt: skip
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data))
    table = struct.pack(order + "H", len(entries))
    for tag, value in entries:
        table += struct.pack(order + "HHII", tag, 4, 1, value)
    return head + data + table + struct.pack(order + "I", 0)


def png(width, height, bits, kind, rows, transparent):
    """A PNG with one transparent value. kind: 0 grey, 2 RGB. rows: their bytes."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
        + chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent))
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
        + chunk(b"IEND", b"")
    )
