"""Set Thaw up and start it. Standard library only; Linux, macOS and Windows; Python 3.11 to 3.13.

    python3 start.py                    set up what is missing, then run the app at http://localhost:8501
    python3 start.py test [ARGUMENTS]   set up the tests and a browser too, then run them (ARGUMENTS go to pytest)
    python3 start.py setup              only set up

All goes into ``.venv``, with a stamp of what it was made from. Pythons that are too old must still read this file.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import hashlib
import http.client
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP, INTERRUPTED = VENV / "thaw-setup.txt", "interrupted"
SUPPORTED = ((3, 11), (3, 12), (3, 13))
THIS_COMPUTER, EVERY_INTERFACE = "127.0.0.1", "0.0.0.0"
# What pip says -> what it means and what to do; the first match counts (without a network the third is there too).
PIP_FAILURES = {
    "No space left|Errno 28": "The disk is full. Free about 3 GB.",
    "NewConnectionError|NameResolution|Max retries|Timeout|ProxyError|unreachable|CERTIFICATE": "This computer could "
    "not reach the place that packages come from. Check the connection; behind a proxy, set HTTPS_PROXY.",
    "No matching distribution|Could not find a version": "A package that Thaw needs does not exist for this Python on "
    "this computer. TensorFlow needs a 64-bit Python 3.11 to 3.13 on Linux, Windows or a Mac with an Apple chip.",
    "": "The lines above are pip's own and say why. Mend what they name.",
}


class SetupError(Exception):
    """What we found, what it means, what to do next: shown to the user as it is."""


def refusal(version: tuple[int, int]) -> str:
    """Return why this Python cannot run Thaw; empty if it can."""
    if version in SUPPORTED:
        return ""
    found = next((name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)), "")
    advice = f"Type: {found} start.py" if found else "Install one from https://www.python.org and start again."
    return f"This is Python {version[0]}.{version[1]}, and Thaw needs Python 3.11, 3.12 or 3.13. {advice}"


def run_with_live_line(command: list[str], title: str, describe: Callable[[str], str]) -> tuple[int, str]:
    """Run a command behind one live line (in a log file: a line every ten seconds); return exit code and last lines.

    ``describe`` turns a line of the command's output into the words to show; "" keeps what is shown.
    """
    last_lines: collections.deque[str] = collections.deque(maxlen=15)
    status, started, on_screen = "starting", time.monotonic(), sys.stdout.isatty()
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    streams["env"] = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(command, cwd=ROOT, encoding="utf-8", errors="replace", **streams)

    def read() -> None:
        nonlocal status
        for line in process.stdout or ():
            status = describe(line.strip()) or status
            if not line.startswith("Progress "):
                last_lines.append(f"    {line.rstrip()}")

    def show(end: str) -> None:
        text = f"{title}: {status} ({time.monotonic() - started:.0f} s)"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{text[:width]:<{width}}" if on_screen else text, end=end if on_screen else "\n", flush=True)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while reader.is_alive():
            show(end="")
            reader.join(0.2 if on_screen else 10)
        code = process.wait()
    finally:
        process.kill()
    status = "done" if code == 0 else "failed"
    show(end="\n")
    return code, "\n".join(last_lines)


class PipWords:
    """What pip is doing, in words, from its own lines; calls ``before_writing`` before it changes anything."""

    def __init__(self, before_writing: Callable[[], object]) -> None:
        self.before_writing = before_writing
        self.looked_up = 0
        self.download = ""

    def __call__(self, line: str) -> str:
        """Describe one line of pip's output."""
        verb, _, rest = line.partition(" ")
        name = re.split(r"[-=<>~!;\[ (]", rest.rsplit("/", 1)[-1])[0]
        progress = re.match(r"Progress (\d+) of ([1-9]\d*)$", line)
        if progress:
            return f"{self.download}, {100 * int(progress.group(1)) // int(progress.group(2))} %"
        if verb == "Collecting":
            self.looked_up += 1
            return f"looking up {name}, {self.looked_up} so far"
        if verb == "Downloading":
            self.download = f"downloading {name} {''.join(re.findall('[(].*[)]', rest))}".strip()
            return self.download
        if line.startswith("Installing collected packages:"):
            self.before_writing()
            return f"writing {line.count(',') + 1} packages to disk"
        return ""


def stamps(dev: bool, cuda: bool) -> set[str]:
    """Return what ``.venv`` is to be made from: a line for the app and, with ``dev``, one for the tests."""
    made_from = f"python {sys.version_info[0]}.{sys.version_info[1]}, cuda {cuda}\n".encode()
    lines = set()
    for name in ("requirements.txt", "requirements-dev.txt")[: 2 if dev else 1]:
        made_from += (ROOT / name).read_bytes()
        lines.add(f"{name} {hashlib.sha256(made_from).hexdigest()}")
    return lines


def set_up(dev: bool = False) -> None:
    """Make ``.venv`` what the requirements ask for; do nothing where it already is."""
    found = set(STAMP.read_text(encoding="utf-8").splitlines()) if STAMP.is_file() and PYTHON.exists() else set()
    cuda = sys.platform.startswith("linux") and shutil.which("nvidia-smi") is not None
    if stamps(dev, cuda) <= found:  # before nvidia-smi is asked, which can take seconds
        return
    cuda = cuda and subprocess.run(["nvidia-smi", "-L"], capture_output=True).returncode == 0
    if stamps(dev, cuda) <= found:
        return
    # To pip a half-written package looks installed: after an interruption only a new .venv is sure to be whole.
    if INTERRUPTED in found or not pip_version():
        make_venv()
    install(dev, cuda)
    STAMP.write_text("\n".join(sorted(stamps(dev, cuda))) + "\n", encoding="utf-8")


def pip_version() -> tuple[int, ...]:
    """Return the version of pip in ``.venv``; empty where there is none, or where it belongs to another Python."""
    code = "import sys, pip; print(*sys.version_info[:2], *pip.__version__.split('.')[:2])"
    said = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True).stdout if PYTHON.exists() else ""
    numbers = tuple(int(part) for part in said.split() if part.isdigit())
    return numbers[2:] if numbers[:2] == sys.version_info[:2] else ()


def make_venv() -> None:
    """Make an empty ``.venv`` with pip in it."""
    if importlib.util.find_spec("ensurepip") is None:  # Debian keeps it in a package of its own
        problem = "This Python cannot make virtual environments: its part ensurepip is missing."
        raise SetupError(f"{problem}\nOn Debian and Ubuntu type: apt install python3-venv (as root). Then start again.")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    code, said = run_with_live_line(command, "Making .venv", lambda line: "")
    if code:
        raise SetupError(f"{said}\n.venv could not be made. Close what still runs from {VENV}, and start again.")


def install(dev: bool, cuda: bool) -> None:
    """Install the requirements into ``.venv``, then compile them on all cores: pip would take one."""
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--no-user", "--disable-pip-version-check"]
    command += ["--progress-bar", "raw" if pip_version() >= (24, 1) else "off"]
    command += ["-r", "requirements-dev.txt" if dev else "requirements.txt"]
    pin = re.search(r"^tensorflow==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    if cuda and pin:
        command.append(f"tensorflow[and-cuda]=={pin.group(1)}")
    words = PipWords(before_writing=lambda: STAMP.write_text(INTERRUPTED, encoding="utf-8"))
    code, said = run_with_live_line([*command, "--no-compile"], "Installing", words)
    if code:
        advice = next(advice for sign, advice in PIP_FAILURES.items() if re.search(sign, said))
        raise SetupError(f"{said}\nThe packages could not be installed. {advice} Then start again.")
    if not dev:  # tests use a part of them, which Python compiles as it goes
        run_with_live_line([str(PYTHON), "-m", "compileall", "-q", "-j", "0", str(VENV)], "Preparing", lambda line: "")


def is_free(port: int, address: str) -> bool:
    """Tell whether a server can listen at a port."""
    with socket.socket() as visitor, socket.socket() as server:
        visitor.settimeout(0.5)
        if visitor.connect_ex((THIS_COMPUTER, port)) == 0:
            return False
        if os.name != "nt":  # a port that was closed a moment ago is free
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            server.bind((address, port))
            return True
    return False


def free_port(first: int, address: str) -> int:
    """Return the first free port from ``first`` on."""
    port = next((port for port in range(max(first, 1), min(first + 100, 65536)) if is_free(port, address)), 0)
    if not port:
        raise SetupError(f"No port from {first} on is free. Choose another one with --port N.")
    return port


def network_address() -> str:
    """Return the address under which other computers reach this one; empty where there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return probe.getsockname()[0] if probe.connect_ex(("192.0.2.1", 9)) == 0 else ""  # which sends nothing


def server_command(port: int, address: str) -> list[str]:
    """Return the command that runs the app."""
    command = [str(PYTHON), "-m", "streamlit", "run", "app.py", f"--server.address={address}", f"--server.port={port}"]
    return [*command, "--server.headless=true", "--browser.gatherUsageStats=false"]


def wait_until_it_answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait for the server's health answer; return False if the server ended instead."""
    while server.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):  # not listening yet
            connection = http.client.HTTPConnection(THIS_COMPUTER, port, timeout=5)
            connection.request("GET", "/_stcore/health")
            status = connection.getresponse().status
            if status == 200:
                return True
            if status == 500:  # the app is broken and has just said why; it would say so forever
                server.kill()
        time.sleep(0.1)
    return False


def run(first_port: int, share: bool, open_browser: bool) -> int:
    """Run the app until Ctrl-C; return its exit code."""
    others = [name for name in (network_address(), socket.gethostname()) if name] if share else []
    address = EVERY_INTERFACE if share else THIS_COMPUTER
    port = free_port(first_port, address)
    print(f"Port {first_port} is taken." if port != first_port else "Starting ...", flush=True)
    env = {"THAW_ADDRESS": f"http://{others[0]}:{port}"} if others else {}
    server = subprocess.Popen(server_command(port, address), cwd=ROOT, env=env | os.environ)
    signal.signal(signal.SIGTERM, lambda number, frame: server.terminate())
    try:
        if wait_until_it_answers(server, port):
            print("\n  Thaw is running:", *[f"http://{name}:{port}" for name in ["localhost", *others]])
            who = "Everyone on this network" if share else "Only this computer"
            print(f"  {who} can open it. Ctrl-C ends it.\n", flush=True)
            has_display = not sys.platform.startswith("linux") or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
            if open_browser and has_display:
                webbrowser.open(f"http://localhost:{port}")
        return 0 if server.wait() in {0, -signal.SIGTERM} else 1
    except KeyboardInterrupt:
        return stop(server)


def stop(server: subprocess.Popen[bytes]) -> int:
    """End the server: ask, wait, and end it by force at the second Ctrl-C or after 15 seconds."""
    print("\nStopping ...", flush=True)
    try:
        if os.name != "nt":  # on Windows this would be by force, and Ctrl-C has already asked
            server.terminate()
        server.wait(timeout=15)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.kill()
    return 0


def test(pytest_arguments: list[str]) -> int:
    """Run the tests, with a browser where one can be had, all of them two at a time; return pytest's exit code."""
    find = subprocess.run([str(PYTHON), "tests/chromium.py"], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    changed = {"THAW_BROWSER": find.stdout.strip()} if find.stdout.strip() else {}
    changed["PYTHONDONTWRITEBYTECODE"] = ""  # off: each of some hundred processes would compile us anew
    chosen = pytest_arguments or ["--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder"]
    return subprocess.run([str(PYTHON), "-m", "pytest", *chosen], cwd=ROOT, env=os.environ | changed).returncode


def main(arguments: list[str]) -> int:
    """Do what the command line asks; return the exit code."""
    if arguments[:1] == ["test"]:
        set_up(dev=True)
        return test(arguments[1:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", choices=("run", "test", "setup"), default="run")
    parser.add_argument("--port", type=int, default=8501, help="the port, or the next free one (8501)")
    parser.add_argument("--share", action="store_true", help="let other computers on your network in")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    options = parser.parse_args(arguments)
    set_up()
    return 0 if options.command == "setup" else run(options.port, options.share, not options.no_browser)


if __name__ == "__main__":
    try:
        sys.exit(refusal(sys.version_info[:2]) or main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit(130)
