"""A visitor without a browser: speaks to the app over the same websocket and routes as its pages do.

Thirty Chromiums would fight the server for its cores. Used by ``benchmarks.people`` and ``benchmarks.kills``.
"""

import http
import http.client
import json
import re
import time
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

ANSWER_S = 120.0


@dataclass
class Page:
    """What a page shows.

    Args:
        words: Everything that it says.
        widgets: The number of each button and text field, by label.
        parameters: What the address carries.
        fragments: Parts that draw themselves anew: the number of each, and after how many seconds.
    """

    words: str = ""
    widgets: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    fragments: dict[str, float] = field(default_factory=dict)


class Visitor:
    """One person with a browser of their own: its cookie, and one page at a time.

    Args:
        address: Of the server, ``http://127.0.0.1:8501``.

    Attributes:
        answers: When each page and each click was asked for, in seconds since 1970, and how long it took, with the
            connection.
        looks: The same of each part of a page that drew itself anew.
    """

    def __init__(self, address: str) -> None:
        self.host = urlsplit(address).netloc
        self.answers: list[tuple[float, float]] = []
        self.looks: list[tuple[float, float]] = []
        self.cookie = self._ask("GET", "/", accept="text/html")[2].partition(";")[0]
        self.page = Page()
        self._name = ""
        self._hash = ""
        self._socket: ClientConnection | None = None

    def open(self, name: str = "", **parameters: str) -> Page:
        """Open a page: "train", project="..."."""
        self.leave()
        began = time.monotonic()
        self._socket = connect(
            f"ws://{self.host}/_stcore/stream",
            subprotocols=["streamlit"],
            additional_headers={"Cookie": self.cookie},
            max_size=None,
            proxy=None,
            open_timeout=ANSWER_S,
        )
        self._name, self._hash = name, ""
        self.page = Page(parameters=parameters)
        self._run(ClientState(page_name=name))
        self._note(self.answers, began)
        return self.page

    def leave(self) -> None:
        """Close the page."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def click(self, label: str, **texts: str) -> Page:
        """Press a button after filling in text fields, both by label."""
        states = [WidgetState(id=self.page.widgets[name], string_value=text) for name, text in texts.items()]
        states.append(WidgetState(id=self.page.widgets[label], trigger_value=True))
        state = ClientState(page_script_hash=self._hash)
        state.widget_states.widgets.extend(states)
        self.page.words, self.page.fragments = "", {}
        began = time.monotonic()
        self._run(state)
        self._note(self.answers, began)
        return self.page

    def look_again(self) -> Page:
        """Let the parts of the page that draw themselves anew do so, as the browser does once their time has come."""
        for fragment in dict(self.page.fragments):
            if fragment not in self.page.fragments:  # the whole page was drawn meanwhile
                continue
            self.page.words, began = "", time.monotonic()
            self._run(ClientState(page_script_hash=self._hash, fragment_id=fragment, is_auto_rerun=True))
            self._note(self.looks, began)
        return self.page

    def send(self, project: str, files: dict[str, bytes]) -> None:
        """Send pictures into a project, by their paths, and have them looked over."""
        at = f"/files/{project}/upload"
        named = json.dumps([[path, len(content), 1] for path, content in files.items()]).encode()
        answers = json.loads(self._ask("POST", f"{at}/announce", named)[1])["files"]
        contents = list(files.values())
        pieces = [(number, piece) for number, missing in answers for piece in missing]
        body = b"".join(contents[row] for row, (_, missing) in enumerate(answers) if missing)
        self._ask("POST", f"{at}/pieces", json.dumps(pieces).encode() + b"\n" + body)
        missing = json.loads(self._ask("POST", f"{at}/finish", b"")[1])["missing"]
        if missing:
            raise RuntimeError(f"{missing} files have not arrived whole.")

    def _ask(self, method: str, path: str, body: bytes | None = None, accept: str = "*/*") -> tuple[int, bytes, str]:
        """Return status, content and new cookie of a request.

        Raises:
            OSError: The server is not there.
            RuntimeError: It refuses.
        """
        connection = http.client.HTTPConnection(self.host, timeout=ANSWER_S)
        headers = {"Accept": accept} | ({"Cookie": self.cookie} if hasattr(self, "cookie") else {})
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return answer.status, content, answer.getheader("set-cookie", "")

    def may_fetch(self, path: str) -> bool:
        """Return whether the server gives out what lies at an address beside the pages.

        Raises:
            RuntimeError: It answers with neither the thing nor that there is none.
        """
        try:
            return self._ask("GET", path)[0] == 200
        except RuntimeError as error:
            if f": {http.HTTPStatus.NOT_FOUND} " not in str(error):
                raise
            return False

    @staticmethod
    def _note(taken: list[tuple[float, float]], began: float) -> None:
        seconds = time.monotonic() - began
        taken.append((time.time() - seconds, seconds))

    def _run(self, state: ClientState) -> None:
        """Let the server run the page and read what it draws, to the end."""
        assert self._socket is not None
        state.query_string = urlencode(self.page.parameters)
        self._socket.send(BackMsg(rerun_script=state).SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(timeout=ANSWER_S))
            kind = message.WhichOneof("type")
            if kind == "script_finished":
                if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    break
                self.page.words, self.page.fragments = "", {}
            else:
                self._take(kind, message)

    def _take(self, kind: str | None, message: ForwardMsg) -> None:
        """Remember what a message of the server says about the page."""
        if kind == "navigation":  # which page it is; the session begins with the router's own number
            self._hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            query = parse_qs(message.page_info_changed.query_string)
            self.page.parameters = {name: values[0] for name, values in query.items()}
        elif kind == "auto_rerun":
            self.page.fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            self.page.fragments.clear()
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._draw(message.delta.new_element)

    def _draw(self, element) -> None:  # noqa: ANN001
        """Read an element."""
        kind = element.WhichOneof("type")
        if kind in ("button", "text_input"):
            widget = getattr(element, kind)
            self.page.widgets[widget.label] = widget.id
            self.page.words += widget.label + "\n"
        elif kind in ("html", "markdown"):
            body = re.sub("<style.*?</style>", " ", getattr(element, kind).body, flags=re.DOTALL)
            self.page.words += unescape(re.sub("<[^>]+>", " ", body)) + "\n"
        elif kind == "page_link":
            self.page.words += element.page_link.label + "\n"
        elif kind == "heading":
            self.page.words += element.heading.body + "\n"
        elif kind == "exception":
            self.page.words += f"EXCEPTION {element.exception.message}\n"


def pictures_in(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by the paths that a browser gives them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in files}
