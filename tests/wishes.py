"""A tab of the page without a browser: it sends wishes to a Live, as static/live.js does, and keeps what comes back.

tab = Tab(host_of(tmp_path, tiny_folder))
answer = tab.want(view="compare", seed=5)  # to its end
answer.panels["race"], answer.status, answer.messages
"""

from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

import httpx

from demo.host import EngineHost
from demo.live import Live, Wish
from demo.page import app_options, build_page, launch_options
from demo.settings import first_settings
from tests.ports import free_port

SEEDS = {"seed": 3, "seed_to": 8, "keys": [3, 8, 12], "corners": [3, 8, 12, 20]}
# quick runs in every view but Compare and Grid, which have their own
SMALL = {"steps": 3, "steps_b": 2, "count": 4, **SEEDS}


def host_of(folder, *checkpoints):
    """A host on the CPU over a new folder of links to checkpoints, each under its own name."""
    for checkpoint in checkpoints:
        (folder / checkpoint.name).symlink_to(checkpoint, target_is_directory=True)
    return EngineHost(folder, device="cpu")


@contextmanager
def served(host, live=None, **launch):
    """The address of the page as app.py serves it, in this process. live: where a test has its own. launch: more for
    launch(), such as a login."""
    page = build_page(host)
    page.launch(
        prevent_thread_lock=True, quiet=True, inbrowser=False, ssr_mode=False, share=False, server_port=free_port(),
        app_kwargs=app_options(live or Live(host)), **launch_options(host),
        **launch,
    )  # fmt: skip
    try:
        yield page.local_url
    finally:
        page.close()


def asking(address, timeout):
    """A client over plain HTTP, each request on a connection of its own: the server closes one after 5 idle seconds or
    an error of its own, and who asks through it in that very moment is reset."""
    return httpx.Client(base_url=address, timeout=timeout, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass
class Answer:
    """What one wish brought. first: its first message. messages: those after it. panels: the last value of each."""

    first: dict
    messages: list = field(default_factory=list)
    panels: dict = field(default_factory=dict)

    @property
    def statuses(self):
        return [tuple(message["status"]) for message in self.messages if "status" in message]

    @property
    def status(self):
        """The last one: (state, sentence)."""
        return self.statuses[-1]

    def take(self, made):
        """Each message of a generator, once it is in here. None is a step without a message, and is given as it is."""
        for message in made or ():
            if message is not None:
                self.messages.append(message)
                if "panel" in message:
                    self.panels[message["panel"]] = message["value"]
            yield message


class Tab:
    """live: given where several tabs share one. settings: what its controls hold; every wish sends them all.
    pictures: id → data: URI of every picture that it was sent; start: whether long runs begin without a question."""

    def __init__(self, host, live=None, start=True, **settings):
        self.live = live or Live(host)
        self.host, self.start, self.key, self.seq, self.pictures = host, start, None, -1, {}
        name = host.names()[0]
        self.settings = first_settings(name, host.training_steps(name)).as_json() | SMALL | settings

    @property
    def session(self):
        return self.live.sessions.get(self.key)

    def begin(self, query=None, anew=False, start=None, **changes):
        """(the answer, its messages one by one, for a test that does something in between)."""
        self.seq += 1
        self.settings |= changes
        start = self.start if start is None else start
        first, made = self.live.want(
            Wish(self.key, self.seq, dict(self.settings), query, anew, start, frozenset(self.pictures))
        )
        self.key = first["session"]
        self.settings |= first.get("settings", {})
        answer = Answer(first)
        return answer, self._taken(answer, made)

    def want(self, query=None, anew=False, start=None, **changes):
        """The answer, once all its messages are there."""
        answer, messages = self.begin(query, anew, start, **changes)
        for _ in messages:
            pass
        return answer

    def _taken(self, answer, made):
        for message in answer.take(made):
            self.pictures |= (message or {}).get("pictures", {})
            yield message

    def stop(self):
        """The Stop button."""
        self.live.stop(self.key, self.seq)

    def files(self, answer, panel):
        """Name → bytes of the files that a panel of an answer offers, as their links give them."""
        found = {}
        for link in answer.panels[panel]["files"]:
            *_, key, token, name = unquote(link["href"]).split("/")
            found[name] = self.live.sessions.get(key).file(token, name).make()
        return found
