"""Real requests against the routes behind the guard, over a real socket."""

import http.client
import re
import uuid
from collections.abc import Iterator

import pytest
from answering import answering
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route, WebSocketRoute

from tlcore import http as thaw_http
from tlcore import identity, project, sharing
from tlcore.images.dataset import Dataset
from tlcore.images.split import Split
from tlcore.runs import run as runs
from tlcore.training.recipe import Recipe

JPEG = b"\xff\xd8 small picture"
CONTENT = "ab" * 32


@pytest.fixture
def port(tmp_path, monkeypatch) -> Iterator[int]:
    """A server with the real routes and guard, beside a page, a form and a websocket."""
    monkeypatch.setenv("THAW_HOME", str(tmp_path))

    async def page(request):
        return HTMLResponse("<p>a page</p>")

    async def socket(websocket):
        await websocket.accept()
        await websocket.close()

    own = [Route("/", page), Route("/form", page, methods=["POST"]), WebSocketRoute("/socket", socket)]
    app = Starlette(routes=thaw_http.routes() + own, middleware=thaw_http.middleware())
    with answering(app) as port:
        yield port


def ask(port: int, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    """Send one request exactly as written; the body is read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.putrequest(method, path, skip_host="Host" in names)
    for name, value in names.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.body = answer.read()
    connection.close()
    return answer


def cookie(value: str) -> dict[str, str]:
    return {"Cookie": f"{identity.COOKIE}={value}"}


def open_socket(port: int, **headers: str) -> int:
    """Ask for a websocket and return the status: 101 when it opens."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    return ask(port, "/socket", **upgrade, **headers).status


@pytest.fixture
def owned() -> tuple[str, project.Project, runs.Run]:
    """An owner, and a project with one thumbnail and one finished run."""
    owner = identity.new()
    mine = project.create(owner, "Blüten / 花")
    mine.thumbnails.mkdir(parents=True)
    (mine.thumbnails / f"{CONTENT}.jpg").write_bytes(JPEG)
    run = runs.create(mine.runs / runs.new_id(), Recipe(), Dataset(mine.pictures, ("a", "b"), ()), Split((), (), ()))
    run.exports.mkdir()
    thaw_http.model_file(run).write_bytes(b"PK model")
    return owner, mine, run


def test_a_browser_gets_an_unguessable_identity_that_scripts_cannot_read(port):
    first = ask(port, "/").getheader("set-cookie")
    second = ask(port, "/").getheader("set-cookie")
    assert re.fullmatch(
        rf"{identity.COOKIE}=[A-Za-z0-9_-]{{43}}; Path=/; Max-Age={identity.LIFETIME_S}; HttpOnly; SameSite=Lax", first
    )
    assert first != second


def test_a_known_browser_keeps_its_identity(port):
    mine = identity.new()
    assert ask(port, "/", **cookie(mine)).getheader("set-cookie").startswith(f"{identity.COOKIE}={mine};")


@pytest.mark.parametrize("bad", ["", "short", "a" * 44, "a" * 42 + ";", "../" + "a" * 40])
def test_a_cookie_that_is_no_identity_is_replaced(port, bad):
    given = ask(port, "/", **cookie(bad)).getheader("set-cookie")
    assert identity.of({identity.COOKIE: given.split(";")[0].split("=")[1]})


def test_only_a_page_brings_an_identity_not_what_a_page_loads(port):
    assert ask(port, "/health").getheader("set-cookie") is None
    assert ask(port, "/", Sec_Fetch_Dest="iframe").getheader("set-cookie") is None
    assert ask(port, "/", Sec_Fetch_Dest="document").getheader("set-cookie")


def test_the_cookie_is_secure_behind_https(port):
    assert ask(port, "/", X_Forwarded_Proto="https").getheader("set-cookie").endswith("; Secure")


def test_a_guest_gets_what_the_owner_gets_until_the_link_is_withdrawn(port, owned):
    _, mine, run = owned
    guest, paths = identity.new(), (thaw_http.thumbnail_path(mine, CONTENT), thaw_http.model_path(mine, run))
    link = sharing.make(mine.folder, "read")
    assert [ask(port, path, **cookie(guest)).status for path in paths] == [404, 404]
    project.let_in(mine.id, link.secret, guest)
    assert [ask(port, path, **cookie(guest)).status for path in paths] == [200, 200]
    sharing.withdraw(mine.folder, link.secret)
    assert [ask(port, path, **cookie(guest)).status for path in paths] == [404, 404]


def test_the_owner_gets_thumbnail_and_model(port, owned):
    owner, mine, run = owned
    picture = ask(port, thaw_http.thumbnail_path(mine, CONTENT), **cookie(owner))
    assert (picture.status, picture.body, picture.getheader("content-type")) == (200, JPEG, "image/jpeg")
    model = ask(port, thaw_http.model_path(mine, run), **cookie(owner))
    assert (model.status, model.body) == (200, b"PK model")
    assert "attachment" in model.getheader("content-disposition")
    assert "thaw-Bl%C3%BCten-%E8%8A%B1-" in model.getheader("content-disposition")


def test_nobody_else_gets_them_and_cannot_tell_that_they_exist(port, owned):
    _, mine, run = owned
    for path in (thaw_http.thumbnail_path(mine, CONTENT), thaw_http.model_path(mine, run)):
        missing = ask(port, path.replace(mine.id, "0" * 16), **cookie(identity.new()))
        for headers in ({}, cookie(identity.new()), cookie("x")):
            answer = ask(port, path, **headers)
            assert (answer.status, answer.body) == (404, missing.body)


@pytest.mark.parametrize(
    "path",
    [
        "/files/../files/{project}/thumbnails/{content}.jpg/../../project.json",
        "/files/{project}/thumbnails/..%2Fproject.jpg",
        "/files/{project}/thumbnails/..%2F..%2F{project}%2Fthumbnails%2F{content}.jpg",
        "/files/{project}/thumbnails/%00.jpg",
        "/files/..%2Fprojects%2F{project}/thumbnails/{content}.jpg",
        "/files/./thumbnails/{content}.jpg",
        "/files/{project}/runs/../thaw-model.zip",
        "/files/{project}/runs/%2e%2e/thaw-model.zip",
        "/files/{project}/runs/..%5c..%5c/thaw-model.zip",
        "/files/{project}/runs/20261121-000000-0000000%00/thaw-model.zip",
        "/files/{project}/runs/20261121-000000-00000000/thaw-model.zip",
    ],
)
def test_no_path_leads_out(port, owned, path):
    owner, mine, _ = owned
    assert ask(port, path.format(project=mine.id, content=CONTENT), **cookie(owner)).status == 404


def test_a_run_without_a_model_says_so(port, owned):
    owner, mine, run = owned
    thaw_http.model_file(run).unlink()
    answer = ask(port, thaw_http.model_path(mine, run), **cookie(owner))
    assert (answer.status, answer.body) == (404, b"This run has no model to download.\n")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "127.0.0.1:1", "[::1]:8501", "localhost."])
def test_this_computer_may_be_called_by_its_names(port, host):
    assert ask(port, "/health", Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8501",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "user@localhost",
        "",
        "localhost:x",
        "[::1",
        "localhost/evil",
        "10.9.8.7",
        "0.0.0.0",
    ],
)
def test_any_other_name_is_refused_everywhere(port, host):
    for path in ("/", "/health", "/files/x/thumbnails/y.jpg"):
        answer = ask(port, path, Host=host)
        assert answer.status in (400, 403)
        assert answer.getheader("set-cookie") is None
    assert open_socket(port, Host=host) in (400, 403)


def test_a_name_that_the_installer_allows_is_answered(port, monkeypatch):
    monkeypatch.setenv("THAW_HOSTS", "thaw.school.example, other")
    assert ask(port, "/health", Host="Thaw.School.example:443").status == 200


def test_nobody_fills_the_memory_with_files_that_belong_to_no_project(port):
    answer = ask(port, "/_stcore/upload_file/session/file", "PUT", Content_Length="0")
    assert answer.status == 403 and b"only into a project" in answer.body


def test_two_host_headers_are_refused(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", "/health")
    connection.putheader("Host", "evil.example")
    connection.endheaders()
    assert connection.getresponse().status in (400, 403)
    connection.close()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:9999", "http://localhost"])
def test_a_foreign_page_can_neither_send_nor_listen(port, origin):
    own = {"Host": "localhost:8501"}
    assert ask(port, "/form", "POST", Origin=origin, **own).status == 403
    assert open_socket(port, Origin=origin, **own) == 403


def test_our_own_pages_can(port):
    own = {"Host": "localhost:8501", "Origin": "http://localhost:8501"}
    assert ask(port, "/form", "POST", **own).status == 200
    assert open_socket(port, **own) == 101


def test_no_other_site_may_show_a_page_inside_its_own(port):
    assert ask(port, "/").getheader("content-security-policy") == "frame-ancestors 'self'"


def test_names_of_downloads_are_plain(tmp_path):
    run = runs.Run(tmp_path / "20261121-143000-0123abcd")
    named = {text: project.Project("0" * 16, text, "", 0.0) for text in ('a/b\\c:"d"\n', "🌷", str(uuid.UUID(int=0)))}
    assert [thaw_http.download_name(one, run) for one in named.values()] == [
        "thaw-a-b-c-d-20261121-143000.zip",
        "thaw-20261121-143000.zip",
        "thaw-00000000-0000-0000-0000-000000000000-20261121-143000.zip",
    ]
