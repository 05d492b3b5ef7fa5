"""start.py in real processes, with a real ``.venv`` that needs no package index."""

import ast
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import start

ROOT = Path(__file__).resolve().parent.parent
SOURCE = (ROOT / "start.py").read_text(encoding="utf-8")
on_posix = pytest.mark.skipif(os.name == "nt", reason="ends processes by POSIX signals")


def environment(**changes: str) -> dict[str, str]:
    """Return an environment without any package index, whatever this computer's settings are."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "THAW_"))}
    return {**env, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", **changes}


def with_our_packages(**changes: str) -> dict[str, str]:
    """Lend the packages of this Python (Streamlit, pytest) to a ``.venv`` that has none."""
    return environment(PYTHONPATH=sysconfig.get_path("purelib"), **changes)


def call(project: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "start.py", *arguments], cwd=project, env=env or environment(), capture_output=True, text=True
    )


def write_wheel(path: Path, name: str) -> None:
    """Write a package with one empty module, as a file."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def lay_out(project: Path) -> Path:
    """Make a project of start.py, a page and requirements that lie beside it as files."""
    (project / "tests").mkdir(parents=True)
    shutil.copy(ROOT / "start.py", project)
    shutil.copy(ROOT / "tests" / "chromium.py", project / "tests")
    write_wheel(project, "needed")
    write_wheel(project, "needed_for_tests")
    (project / "requirements.txt").write_text("./needed-1.0-py3-none-any.whl\n")
    (project / "requirements-dev.txt").write_text("-r requirements.txt\n./needed_for_tests-1.0-py3-none-any.whl\n")
    (project / "app.py").write_text("import streamlit as st\n\napp = st.App('page.py')\n")
    (project / "page.py").write_text("import streamlit as st\n\nst.title('hello')\n")
    return project


@pytest.fixture(scope="module")
def set_up_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = lay_out(tmp_path_factory.mktemp("set_up") / "project")
    first = call(project, "setup")
    assert first.returncode == 0, first.stdout + first.stderr
    return project


@pytest.fixture
def project(set_up_once: Path, tmp_path: Path) -> Path:
    """Return a copy of a project that is set up; a ``.venv`` may be moved."""
    return Path(shutil.copytree(set_up_once, tmp_path / "project", symlinks=True))


@pytest.fixture(scope="module")
def tried(set_up_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy in which tests are run again and again; the first time sets them up."""
    return Path(shutil.copytree(set_up_once, tmp_path_factory.mktemp("tried") / "project", symlinks=True))


def has_package(project: Path, name: str) -> bool:
    python = project / start.PYTHON.relative_to(start.ROOT)
    return subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode == 0


# ---- what it may be made of, and which Python it takes


def test_start_imports_the_standard_library_only() -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(SOURCE))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names)


def test_an_old_python_can_read_start_and_say_that_it_is_too_old() -> None:
    ast.parse(SOURCE, feature_version=(3, 7))
    assert SOURCE.index("from __future__ import annotations") < SOURCE.index("import argparse")


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_supported_pythons_are_taken(version: tuple[int, int]) -> None:
    assert start.refusal(version) == ""


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 14)])
def test_other_pythons_are_refused_with_what_to_do(version: tuple[int, int]) -> None:
    sentence = start.refusal(version)
    assert f"This is Python {version[0]}.{version[1]}" in sentence
    assert "needs Python 3.11, 3.12 or 3.13" in sentence
    assert "start.py" in sentence or "start again" in sentence


def test_the_pythons_taken_are_those_of_the_project() -> None:
    lowest, highest = start.SUPPORTED[0], start.SUPPORTED[-1]
    said = f'requires-python = ">={lowest[0]}.{lowest[1]},<{highest[0]}.{highest[1] + 1}"'
    assert said in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


# ---- set up


def test_setup_installs_the_requirements_and_not_those_of_the_tests(set_up_once: Path) -> None:
    assert has_package(set_up_once, "needed")
    assert not has_package(set_up_once, "needed_for_tests")
    assert list((set_up_once / ".venv").rglob("needed.*.pyc"))  # so that the first start need not compile


def test_a_second_setup_does_nothing(project: Path) -> None:
    stamp = project / ".venv" / start.STAMP.name
    before = stamp.stat().st_mtime_ns
    second = call(project, "setup")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert stamp.stat().st_mtime_ns == before


def test_changed_requirements_are_installed(project: Path) -> None:
    write_wheel(project, "new_one")
    with (project / "requirements.txt").open("a") as requirements:
        requirements.write("./new_one-1.0-py3-none-any.whl\n")
    assert "Installing: done" in call(project, "setup").stdout
    assert has_package(project, "new_one")


def test_an_interrupted_installation_is_made_anew(project: Path) -> None:
    half_written = project / ".venv" / "half_written.py"
    half_written.write_text("")
    (project / ".venv" / start.STAMP.name).write_text(start.INTERRUPTED)
    repaired = call(project, "setup")
    assert repaired.returncode == 0
    assert "Making .venv" in repaired.stdout
    assert not half_written.exists()
    assert has_package(project, "needed")
    assert call(project, "setup").stdout == ""


def test_pip_is_marked_as_interrupted_before_it_writes_and_not_earlier() -> None:
    marks: list[str] = []
    words = start.PipWords(before_writing=lambda: marks.append("written"))
    words("Collecting keras==3.15.1 (from -r requirements.txt (line 3))")
    words("Downloading keras-3.15.1-py3-none-any.whl (1.4 MB)")
    assert marks == []
    assert words("Installing collected packages: rich, keras") == "writing 2 packages to disk"
    assert marks == ["written"]


def test_a_venv_whose_python_is_gone_is_made_anew(project: Path) -> None:
    python = project / start.PYTHON.relative_to(start.ROOT)
    (project / ".venv" / start.STAMP.name).unlink()
    python.unlink()
    assert "Making .venv" in call(project, "setup").stdout
    assert has_package(project, "needed")


def test_a_requirement_that_does_not_exist_ends_with_what_to_do(project: Path) -> None:
    good = (project / "requirements.txt").read_text()
    (project / "requirements.txt").write_text("does-not-exist-anywhere==1.0\n")
    failed = call(project, "setup")
    assert failed.returncode == 1
    assert "does-not-exist-anywhere" in failed.stderr
    assert "The packages could not be installed." in failed.stderr
    assert "start again" in failed.stderr
    assert "Traceback" not in failed.stderr
    (project / "requirements.txt").write_text(good)
    assert call(project, "setup").stdout == "", "what was there before is untouched"


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("ERROR: [Errno 28] No space left on device", "Free about 3 GB"),
        ("WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found", "Check the connection"),
        ("ERROR: No matching distribution found for tensorflow", "64-bit Python"),
        ("ERROR: something else", "pip's own"),
    ],
)
def test_each_way_to_fail_has_its_advice(said: str, advice: str) -> None:
    first = next(text for sign, text in start.PIP_FAILURES.items() if re.search(sign, said))
    assert advice in first


def test_a_python_without_ensurepip_names_the_package_to_install(tmp_path: Path) -> None:
    project = lay_out(tmp_path / "project")
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n")
    refused = call(project, "setup", env=environment(PYTHONPATH=str(tmp_path)))
    assert refused.returncode == 1
    assert "apt install python3-venv" in refused.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Collecting numpy==2.4.6 (from -r requirements.txt (line 8))", "looking up numpy, 1 so far"),
        ("Downloading https://host/tensorflow-2.21.0-cp311.whl (572.4 MB)", "downloading tensorflow (572.4 MB)"),
        ("Requirement already satisfied: six in ./lib", ""),
    ],
)
def test_the_live_line_says_what_pip_is_doing(line: str, words: str) -> None:
    assert start.PipWords(before_writing=lambda: None)(line) == words


def test_the_live_line_says_how_much_of_a_download_is_here() -> None:
    words = start.PipWords(before_writing=lambda: None)
    words("Downloading tensorflow-2.21.0-cp311.whl (572.4 MB)")
    assert words("Progress 25 of 100") == "downloading tensorflow (572.4 MB), 25 %"


def test_a_failing_command_gives_its_exit_code_and_last_lines(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "import sys\nfor n in range(99): print('line', n)\nsys.exit(3)"]
    code, last_lines = start.run_with_live_line(command, "Trying", lambda line: f"at {line}")
    assert code == 3
    assert last_lines.splitlines()[-1].strip() == "line 98"
    assert len(last_lines.splitlines()) == 15
    assert "Trying: failed" in capsys.readouterr().out


# ---- run


@contextmanager
def a_taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def running(project: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the app; yield its process and what it printed until it answered."""
    command = [sys.executable, "start.py", *arguments, "--no-browser"]
    process = subprocess.Popen(
        command, cwd=project, env=with_our_packages(), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        printed = ""
        for line in process.stdout or ():
            printed += line
            if "can open it" in line:
                break
        yield process, printed
    finally:
        process.terminate()
        process.communicate(timeout=30)


def port_in(printed: str) -> int:
    found = re.search(r"http://localhost:(\d+)", printed)
    assert found, printed
    return int(found.group(1))


def is_healthy(address: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/_stcore/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_the_next_free_port_is_taken() -> None:
    with a_taken_port() as port:
        assert not start.is_free(port, start.THIS_COMPUTER)
        assert start.free_port(port, start.THIS_COMPUTER) > port


def test_a_port_taken_on_every_interface_is_taken() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not start.is_free(server.getsockname()[1], start.THIS_COMPUTER)


@on_posix
def test_the_app_answers_only_this_computer_and_ctrl_c_ends_it(project: Path) -> None:
    with a_taken_port() as taken, running(project, "--port", str(taken)) as (process, printed):
        port = port_in(printed)
        assert port > taken
        assert f"Port {taken} is taken" in printed
        assert "Only this computer" in printed
        assert is_healthy("127.0.0.1", port)
        own_address = start.network_address()
        assert not own_address or own_address.startswith("127.") or not is_healthy(own_address, port)
        os.killpg(process.pid, signal.SIGINT)  # what the terminal does at Ctrl-C
        assert process.wait(timeout=30) == 0
        assert start.is_free(port, start.THIS_COMPUTER)


@on_posix
def test_shared_it_answers_the_network_and_a_polite_end_is_no_failure(project: Path) -> None:
    with (project / "app.py").open("a") as app:
        app.write("import os, pathlib\npathlib.Path('address').write_text(os.environ.get('THAW_ADDRESS', 'none'))\n")
    with running(project, "--share") as (process, printed):
        port = port_in(printed)
        assert "Everyone on this network" in printed
        own_address = start.network_address()
        assert f"http://{own_address}:{port}" in printed or not own_address
        assert is_healthy(own_address or "127.0.0.1", port)
        assert (project / "address").read_text() == f"http://{own_address or socket.gethostname()}:{port}"
        process.terminate()
        assert process.wait(timeout=30) == 0
        assert start.is_free(port, start.EVERY_INTERFACE)


def test_a_server_that_cannot_start_is_a_failure(project: Path) -> None:
    (project / "app.py").unlink()
    failed = call(project, "--no-browser", env=with_our_packages())
    assert failed.returncode == 1
    assert "Thaw is running" not in failed.stdout


def test_an_app_that_answers_only_with_errors_is_ended(project: Path) -> None:
    (project / "page.py").unlink()
    failed = call(project, "--no-browser", env=with_our_packages())
    assert failed.returncode == 1
    assert "page.py" in failed.stderr
    assert "Thaw is running" not in failed.stdout


# ---- test


@pytest.mark.parametrize(
    ("body", "arguments", "code"),
    [
        ("def test_it(): assert True", [], 0),
        ("def test_it(): assert False", [], 1),
        ("def test_it(): assert False\ndef test_other(): assert True", ["-k", "other"], 0),
        ("", [], 5),
    ],
)
def test_the_exit_code_is_that_of_pytest(tried: Path, body: str, arguments: list[str], code: int) -> None:
    (tried / "tests" / "test_it.py").write_text(body)
    env = with_our_packages(THAW_BROWSER=sys.executable)
    assert call(tried, "test", "-p", "no:cacheprovider", *arguments, env=env).returncode == code
    assert has_package(tried, "needed_for_tests")


def test_the_tests_are_told_which_browser_was_found(tried: Path) -> None:
    (tried / "tests" / "test_it.py").write_text(
        f"import os\ndef test_it(): assert os.environ['THAW_BROWSER'] == {sys.executable!r}"
    )
    assert call(tried, "test", env=with_our_packages(THAW_BROWSER=sys.executable)).returncode == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="hides the browsers by an empty PATH")
@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_without_a_browser_its_tests_are_skipped_but_fail_under_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    for file in (ROOT / "tests").glob("*.py"):
        if not file.name.startswith("test_"):
            shutil.copy(file, tmp_path)
    (tmp_path / "test_it.py").write_text("def test_it(browser_path): assert browser_path")
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider"]
    env = environment(PATH=str(tmp_path), CI=ci, PYTHONPATH=str(ROOT))
    printed = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True).stdout
    assert outcome in printed
    assert "no Chrome or Chromium on this computer" in printed


def test_ci_runs_the_test_command_of_the_readme() -> None:
    ci = ROOT / ".ci" / "run"
    commands = [line for line in ci.read_text(encoding="utf-8").splitlines() if line.startswith("python")]
    assert commands == ["python3 start.py test"]
    assert commands[0] in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert os.name == "nt" or os.access(ci, os.X_OK)
