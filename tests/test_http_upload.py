"""Real requests that send pictures, over a real socket."""

import http.client
import json
import socket
import time
from collections.abc import Iterator

import bringing
import drawing
import pytest
from answering import answering
from starlette.applications import Starlette

from tlcore import http as thaw_http
from tlcore import http_upload, identity, overview, project, removal, sharing
from tlcore.images import intake, intake_record, upload
from tlcore.runs import run as runs


@pytest.fixture
def port(tmp_path, monkeypatch) -> Iterator[int]:
    """A server with the real routes behind the real guard."""
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    app = Starlette(routes=http_upload.routes(), middleware=thaw_http.middleware())
    with answering(app) as port:
        yield port


class Sender:
    """A browser with its identity, and a project of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.identity = identity.new()
        self.project = project.create(self.identity, "Pets")

    def ask(
        self, what: str = "", body: bytes | None = None, who: str | None = None, **headers: str
    ) -> tuple[int, dict]:
        """Send one request; GET without a body. Return status and answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        cookie = {"Cookie": f"{identity.COOKIE}={self.identity if who is None else who}"}
        path = http_upload.path_of(self.project) + what
        connection.request("GET" if body is None else "POST", path, body, cookie | headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        is_json = answer.getheader("content-type", "") == "application/json"
        return answer.status, json.loads(content) if is_json else {"text": content.decode()}

    def announce(self, contents: dict[str, bytes]) -> list[list]:
        files = [[path, len(content), 1] for path, content in contents.items()]
        return self.ask("/announce", json.dumps(files).encode())[1]["files"]

    def send(self, contents: dict[str, bytes]) -> int:
        """Announce files, send what is missing in one request, and return its status."""
        answers = self.announce(contents)
        named = [(number, piece) for number, missing in answers for piece in missing]
        sent = [content for content, (_, missing) in zip(contents.values(), answers, strict=True) if missing]
        return self.ask("/pieces", bringing.header(*named) + b"".join(sent))[0]


@pytest.fixture
def sender(port) -> Sender:
    return Sender(port)


def settled(owned: project.Project) -> str:
    while (status := intake.status(owned)).state == "working":
        time.sleep(0.05)
    return status.state


def test_a_folder_is_sent_and_looked_over_by_itself(sender, tmp_path):
    root = drawing.draw_folder(tmp_path / "pets", ("cold", "寒い"), per_class=5)
    files = sorted(file for file in root.rglob("*.png"))
    contents = {file.relative_to(root.parent).as_posix(): file.read_bytes() for file in files}
    assert sender.send(contents) == 200
    assert sender.ask()[1] == {
        "files": 10,
        "bytes": sum(map(len, contents.values())),
        "filesHere": 10,
        "bytesHere": sum(map(len, contents.values())),
        "maxFiles": 200_000,
        "maxBytes": 50 * 10**9,
    }
    assert sender.ask("/finish", b"") == (200, {"missing": 0, "names": []})
    assert settled(sender.project) == "ready"
    assert overview.dataset_of(sender.project).counts() == {"cold": 5, "寒い": 5}
    assert sender.ask()[1]["files"] == 0, "the next upload begins anew"


def test_what_arrived_before_the_connection_broke_is_not_asked_for_again(sender):
    contents = {f"cats/{number}.jpg": bytes([number]) * 1000 for number in range(20)}
    named = [(number, piece) for number, missing in sender.announce(contents) for piece in missing]
    body = bringing.header(*named) + b"".join(contents.values())
    with socket.create_connection(("127.0.0.1", sender.port)) as connection:
        head = f"POST {http_upload.path_of(sender.project)}/pieces HTTP/1.1\r\nHost: localhost\r\n"
        head += f"Cookie: {identity.COOKIE}={sender.identity}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body[:-9500])
        while sender.ask()[1]["filesHere"] < 10:
            time.sleep(0.01)
    missing = [number for number, pieces in sender.announce(contents) if pieces]
    assert 0 < len(missing) <= 10
    assert sender.ask("/finish", b"")[1]["missing"] == len(missing)
    assert sender.send(contents) == 200
    assert all(not pieces for _, pieces in sender.announce(contents))
    while any(file.name.startswith(".") for file in (upload.folder_of(sender.project) / "pieces").iterdir()):
        time.sleep(0.01)  # the broken request cleans up behind itself


def test_without_what_never_came_it_goes_on_when_the_owner_says_so(sender, tmp_path):
    root = drawing.draw_folder(tmp_path / "pets", per_class=3)
    sender.send({file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*.png")})
    sender.announce({"cold/lost.png": b"x"})
    assert sender.ask("/finish", b"")[1] == {"missing": 1, "names": ["cold/lost.png"]}
    assert sender.ask("/finish?without=missing", b"")[1] == {"missing": 0, "names": []}
    assert settled(sender.project) == "ready"
    assert [entry.file for entry in overview.dataset_of(sender.project).set_aside] == ["cold/lost.png"]


def test_a_cancelled_upload_leaves_nothing(sender):
    sender.send({"cats/1.jpg": b"x"})
    assert sender.ask("/cancel", b"") == (200, {})
    assert sender.ask()[1]["files"] == 0
    assert not upload.folder_of(sender.project).exists()


REQUESTS = [("", None), ("/announce", b"[]"), ("/pieces", b"[]\n"), ("/finish", b""), ("/cancel", b"")]


@pytest.mark.parametrize("what", ["/announce", "/pieces", "/finish", "/cancel"])
def test_a_guest_who_may_only_look_sends_nothing_and_one_with_full_access_may(sender, what):
    guest, reader = identity.new(), identity.new()
    for who, access in ((guest, "full"), (reader, "read")):
        project.let_in(sender.project.id, sharing.make(sender.project.folder, access).secret, who)
    status, answer = sender.ask(what, b"[]", who=reader)
    assert status == 403 and "lets you look" in answer["text"]
    assert sender.ask(what, b"[]", who=guest)[0] in (200, 409)


@pytest.mark.parametrize(("what", "body"), REQUESTS)
def test_a_stranger_gets_the_same_answer_as_for_nothing(sender, what, body):
    sender.send({"cats/1.jpg": b"x"})
    for who in (identity.new(), "", "x"):
        refused = sender.ask(what, body, who=who)
        missing = http.client.HTTPConnection("127.0.0.1", sender.port)
        missing.request("GET" if body is None else "POST", f"/files/{'0' * 16}/upload{what}", body)
        nothing = missing.getresponse()
        assert refused == (404, {"text": nothing.read().decode()}) and nothing.status == 404
    assert sender.ask()[1]["filesHere"] == 1


@pytest.mark.parametrize(("what", "body"), REQUESTS[1:])
def test_another_site_can_send_nothing(sender, what, body):
    sender.send({"cats/1.jpg": b"x"})
    assert sender.ask(what, body, Origin="http://evil.example")[0] == 403
    assert sender.ask(what, body, Host="evil.example")[0] == 403
    assert sender.ask()[1]["filesHere"] == 1
    assert intake.status(sender.project).state == "empty"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b'{"a": 1}', b"[1]", b'[["a"]]', b'[["a", -1, 0]]', b'[["a", 1e999, 0]]', b'[["a", 1, 1e300]]', b"\xff"),
        b'[["a", NaN, 0]]',
        b"[" + b'["a", 1, 1],' * http_upload.FILES_AT_ONCE + b'["a", 1, 1]]',
    ],
)
def test_a_list_that_is_none_is_refused(sender, body):
    status, answer = sender.ask("/announce", body)
    assert status == 409 and "did not understand" in answer["problem"]


def test_too_long_an_announcement_is_not_read_to_its_end(sender):
    status, answer = sender.ask("/announce", b"[" + b" " * (17 * 2**20))
    assert status == 409 and "too many files" in answer["problem"]


def test_pieces_of_nothing_are_refused(sender):
    status, answer = sender.ask("/pieces", b"[[1, 0]]\nabc")
    assert status == 409 and answer["advice"]


def test_nothing_is_taken_while_pictures_are_looked_over_or_once_a_run_has_begun(sender):
    intake_record.begin(sender.project)
    assert "still being looked over" in sender.ask("/announce", b"[]")[1]["problem"]
    intake_record.file_of(sender.project).unlink()
    run = sender.project.runs / runs.new_id()
    run.mkdir(parents=True)
    (run / "recipe.json").write_text("{}")
    for what, body in (("/announce", b"[]"), ("/finish", b"")):
        status, answer = sender.ask(what, body)
        assert status == 409 and "has runs" in answer["problem"]
    removal.lay_aside(run)  # it can still be taken back, and needs its pictures then
    assert sender.ask("/announce", b"[]")[0] == 409
    removal.remove(removal.laid_aside(run.parent)[0])
    assert sender.ask("/announce", b"[]")[0] == 200


def test_more_than_the_limit_is_refused_with_both_numbers(sender, monkeypatch):
    monkeypatch.setenv("THAW_UPLOAD_FILES", "3")
    status, answer = sender.ask("/announce", json.dumps([[f"{n}.jpg", 1, 1] for n in range(4)]).encode())
    assert status == 409 and "4 files" in answer["problem"] and "at most 3 files" in answer["problem"]


def test_a_limit_that_is_no_number_is_said(sender, monkeypatch):
    monkeypatch.setenv("THAW_UPLOAD_GB", "plenty")
    status, answer = sender.ask("/announce", b"[]")
    assert status == 409 and "THAW_UPLOAD_GB is “plenty”" in answer["problem"]


def test_a_full_disk_has_a_status_of_its_own(small_disk, port, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(small_disk))
    sender = Sender(port)
    contents = {f"cats/{number}.jpg": bytes(900_000) for number in range(5)}
    assert sender.send(contents) == 507
    here = sender.ask()[1]["filesHere"]
    assert 0 < here < 5
    status, answer = sender.ask("/pieces", bringing.header((5, 0)) + bytes(900_000))
    assert status == 507 and answer["problem"] == "The disk of the server is full."
