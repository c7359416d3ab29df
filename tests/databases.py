"""Database servers of the system's packages, on loopback, for as long as a test runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import importlib.util
import os
from pathlib import Path
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from typing import Final

NAME: Final = "climkit_test"
PATIENCE: Final = 600.0
"""Seconds: only what hangs takes so long, whatever else the machine does."""


class Unavailable(Exception):
    """The server cannot be run here; the text says what is missing."""


@contextmanager
def server(kind: str) -> Iterator[str]:
    """Run "postgresql" or "mariadb"; give the address of an empty database in it.

    Raises Unavailable if a program or the driver is missing.
    """
    run = {"postgresql": _postgresql, "mariadb": _mariadb}[kind]
    # Not below pytest's own folder, which nobody else may enter.
    with tempfile.TemporaryDirectory(prefix="climkit-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with run(Path(folder)) as url:
            yield url


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    _need_driver("psycopg2", "psycopg2-binary")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    initdb = _program("initdb", programs, "postgresql")
    user = _user("postgres", folder)
    data, port = folder / "data", _free_port()
    _run(user, initdb, "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "-N")
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(folder),
        "fsync": "off",
    }
    options = [
        part for key, value in settings.items() for part in ("-c", f"{key}={value}")
    ]
    postgres = _program("postgres", programs, "postgresql")
    with _running(user, port, postgres, "-D", data, "-p", port, *options):
        createdb = _program("createdb", programs, "postgresql")
        _retried(user, createdb, "-h", "127.0.0.1", "-p", port, "-U", "test", NAME)
        yield f"postgresql://test@127.0.0.1:{port}/{NAME}"


@contextmanager
def _mariadb(folder: Path) -> Iterator[str]:
    _need_driver("pymysql", "PyMySQL")
    places = [Path("/usr/sbin"), Path("/usr/bin")]
    install = _program("mariadb-install-db", places, "mariadb-server-core")
    mariadbd = _program("mariadbd", places, "mariadb-server-core")
    user = _user("nobody", folder)
    data, port = folder / "data", _free_port()
    start = folder / "start.sql"
    start.write_text(
        f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4;"
        "CREATE USER test@'127.0.0.1' IDENTIFIED BY 'test';"
        f"GRANT ALL ON {NAME}.* TO test@'127.0.0.1';\n".replace(";", ";\n")
    )
    _run(
        *(user, install, "--no-defaults", f"--datadir={data}", "--skip-test-db"),
        "--auth-root-authentication-method=normal",
    )
    options = [
        f"--datadir={data}",
        f"--socket={folder}/socket",
        f"--pid-file={folder}/pid",
        f"--port={port}",
        f"--init-file={start}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--innodb-flush-log-at-trx-commit=0",
    ]
    with _running(user, port, mariadbd, "--no-defaults", *options):
        yield f"mysql+pymysql://test:test@127.0.0.1:{port}/{NAME}?charset=utf8mb4"


def _need_driver(module: str, package: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise Unavailable(f"the Python package {package} is not installed")


def _program(name: str, places: Sequence[Path], package: str) -> Path:
    path = os.pathsep.join([*map(str, reversed(places)), os.environ["PATH"]])
    if found := shutil.which(name, path=path):
        return Path(found)
    raise Unavailable(f"{name} of the Debian package {package} is not installed")


def _user(preferred: str, folder: Path) -> str | None:
    """Return whom to run as, the owner of the folder: servers refuse to run as root."""
    if os.getuid() != 0:
        return None
    try:
        pwd.getpwnam(preferred)
    except KeyError:
        preferred = "nobody"
    shutil.chown(folder, preferred)
    return preferred


def _run(user: str | None, *command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {(done.stdout + done.stderr)[-300:]}")


def _retried(user: str | None, *command: object) -> None:
    """Run a command until it works: a port is open before the server is ready."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return _run(user, *command)
        except RuntimeError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@contextmanager
def _running(user: str | None, port: int, *command: object) -> Iterator[None]:
    process = subprocess.Popen(
        [str(part) for part in command],
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + PATIENCE
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} does not start here")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
