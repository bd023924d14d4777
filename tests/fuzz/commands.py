"""Command lines with odd words, and good ones over spoilt files, as hypothesis makes them."""

from dataclasses import dataclass

import hypothesis.strategies as st

from tests.fuzz.spoil import spoils
from tests.fuzz.values import ANY_TEXT, picked, weighted

# nothing that is allowed and takes long
WORDS = [
    "", " ", "0", "1", "2", "-1", "3.5", "1e999", "-inf", "nan", "1_0", "٣", "0x10", "9" * 30, "9" * 6000, "a", "a\nb",
    "\x1b[2J", "\ud800", "\udcff", "a\0b", "0-3", "3-1", "1,,2", ",", "--", "-", ".", "..", "/", "~nobody/x", "/dev/null",  # noqa: E501
    "/dev/full", "/dev/zero", "/proc/self/mem", "pipe", "folder", "circle", "missing/x.npy", "n" * 300, "x/" * 3000, "[" * 999,  # noqa: E501
    "x.npy", "x.png", "x.gif", "x.webp", "./x.npy", "link.npy", "X.PNG", "x.npy.png", "%s", "{}", "$(true)", "'", "é" * 200,  # noqa: E501
    "../../etc/passwd",
]  # fmt: skip
FIT = [  # one of them fits nearly every option, so that what is allowed is tried as well
    "1", "2", "3", "4", "0", "0.5", "1,2", "0-2", "500,2", "leading", "trailing", "cpu", "fp32", "torch", "ddim",
    "x.npy", "x.png", "x.json", "latents.npy", "picture.png", "8",
]  # fmt: skip
WORD = st.one_of(
    picked(FIT),
    picked(FIT),
    picked(FIT),
    picked(WORDS),
    ANY_TEXT.filter(lambda text: not text.startswith("/") and ".." not in text),  # what it names is made in its folder
    (st.integers(-(1 << 70), 4) | st.integers(10**15)).map(str),
    st.floats().map(repr),
    st.lists(st.integers(-3, 4), min_size=2, max_size=4).map(lambda numbers: ",".join(map(str, numbers))),
)
OPTIONS = {
    "sample": "steps eta seeds spacing timesteps latents solver device precision backend batch threads timing columns "
              "out start",
    "interpolate": "steps eta seeds frames sheet place batch columns timing out latents timesteps",
    "encode": "steps spacing refine batch device precision out",
    "branch": "at count eta trunk-eta seed picture refine latents start steps timesteps batch out",
    "train": "out state start-from size channels layers groups attention steps batch lr warmup decay ema grad-clip seed "  # noqa: E501
             "min-snr draw balance coarse device save-every prediction beta-schedule",
    "features": "out name widths epochs batch lr seed",
    "evaluate": "what cells n n-rest data held-out features budget out state seeds-from batch chunk device render",
    "bench": "steps rounds batches precisions device out",
    "faces": "out held-out seed workers",
    "info": "", "convert": "", "average": "out",
}  # fmt: skip
COMMANDS = {
    "sample": "sample net --seeds 1,2 --steps 2 --device cpu --out out.npy",
    "interpolate": "interpolate net --seeds 1,2 --frames 3 --steps 2 --device cpu --out out.png",
    "encode": "encode net picture.png --steps 2 --device cpu --out out.npy",
    "branch": "branch net --at 500 --steps 2 --count 2 --device cpu --out out.png",
    "train": "train data.npz --out trained --state state --size 8 --channels 8,16 --attention 1 --batch 2 --steps 2",
    "features": "features data.npz data.npz --out features.safetensors --name x --widths 8 --batch 2 --epochs 1",
    "evaluate": "evaluate net --what speed --cells nothing --state state",
    "bench": "bench net --precisions none --out bench.json",
    "faces": "faces --out faces --n 0",
    "info": "info net", "convert": "convert net converted", "average": "average net net --out averaged",
}  # fmt: skip
READ = {  # the file a command reads, given in its own way
    "latents.npy": "sample net --latents latents.npy --seeds 1,2 --steps 2 --device cpu --out out.npy",
    "latents.json": "sample net --latents latents.npy --device cpu --out out.npy",
    "picture.png": COMMANDS["encode"],
    "picture.gif": COMMANDS["encode"].replace("picture.png", "picture.gif"),
    "data.npz": COMMANDS["train"],
    "data-idx3-ubyte": COMMANDS["train"].replace("data.npz", "data-idx3-ubyte"),
    "data.gz": COMMANDS["train"].replace("data.npz", "data.gz"),
    "evaluation.json": "evaluate other --out evaluation.json --render page.md",
    "labelled.npz": COMMANDS["features"].replace("data.npz", "labelled.npz"),
}


@dataclass(frozen=True)
class Case:
    """argv: what is typed. name: the file that is spoilt first, or empty. spoilt: in which ways."""

    argv: tuple[str, ...]
    name: str = ""
    spoilt: tuple = ()


@st.composite
def odd_words(draw: st.DrawFn) -> Case:
    """A good command with words put in its place, before its words or behind them."""
    verb = draw(st.sampled_from(list(COMMANDS)))
    argv = COMMANDS[verb].split()
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        how = draw(st.sampled_from(["option", "option=", "option", "option=", "word", "more"]))
        if how.startswith("option") and OPTIONS[verb]:
            option, word = f"--{draw(st.sampled_from(OPTIONS[verb].split()))}", draw(WORD)
            argv += [f"{option}={word}"] if how == "option=" else [option, word]
        elif how == "word":
            argv[draw(st.integers(1, len(argv) - 1))] = draw(WORD)
        else:
            more = WORD | st.sampled_from(["--help", "--columns", "--nonsense"])
            argv.insert(draw(st.integers(0, len(argv))), draw(more))
    return Case(tuple(argv))


SPOILT_FILES = st.builds(
    lambda name, ways: Case(tuple(READ[name].split()), name, tuple(ways)),
    st.sampled_from(list(READ)), spoils(list(READ)),
)  # fmt: skip
CASES = weighted((1, odd_words()), (1, SPOILT_FILES))
