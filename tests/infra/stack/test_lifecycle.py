"""A stack comes up, says where it is, goes down in order, and finds its data again."""

import signal
import socket
from pathlib import Path

import httpx

from infra.stack.files import read_env
from tests.infra.stack import clients
from tests.infra.stack.command import Doxie, one_line


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_up_down_and_up_again(doxie: Doxie) -> None:
    first = doxie.up()
    clients.write_everywhere(doxie.home, first)
    secrets = (doxie.home / "secrets.env").read_text()
    assert {service for service, entry in first.items() if entry["pid"]} == {
        "supervisor",
        "postgres",
        "redis",
        "s3",
    }

    assert mode(doxie.home) == 0o700
    assert {mode(path) for path in doxie.home.iterdir() if path.is_file()} == {0o600}
    assert {mode(path) for path in doxie.home.iterdir() if path.is_dir()} == {0o700}

    assert "already running" in one_line(doxie.run("up"))
    assert "already running" in one_line(doxie.run("up", "--detach"))
    status = doxie.run("status").stdout
    assert "ready" in status
    assert read_env(doxie.home / "secrets.env")["DOXIE_POSTGRES_PASSWORD"] not in status
    assert "ready to accept connections" in doxie.run("logs", "postgres").stdout
    assert "no log of nothing" in one_line(doxie.run("logs", "nothing"))

    assert doxie.run("down").returncode == 0
    assert doxie.processes() == []
    assert not (doxie.home / "stack.json").exists()
    assert "nothing is running" in one_line(doxie.run("status"))
    assert "nothing is running" in doxie.run("down").stdout

    second = doxie.up()
    clients.assert_kept(doxie.home, second)
    assert (doxie.home / "secrets.env").read_text() == secrets
    assert {name: entry["port"] for name, entry in second.items()} == {
        name: entry["port"] for name, entry in first.items()
    }


def test_stores_refuse_who_has_no_key(doxie: Doxie) -> None:
    stack = doxie.up("redis,s3")
    with socket.create_connection(("127.0.0.1", stack["redis"]["port"])) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")
    assert httpx.get(stack["s3"]["url"]).status_code == 403
    arguments = Path(f"/proc/{stack['s3']['pid']}/cmdline").read_text().split("\0")
    ports = dict(argument.lstrip("-").split("=") for argument in arguments if ".port=" in argument)
    assert httpx.get(f"http://127.0.0.1:{ports['filer.port']}/buckets/").status_code == 401


def test_ctrl_c_stops_in_order(doxie: Doxie) -> None:
    running = doxie.in_foreground("postgres,redis")
    assert running.stdout is not None
    assert any("Doxie is ready" in line for line in running.stdout)
    running.send_signal(signal.SIGINT)
    output, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (0, "")
    assert output.count("stopped") == 2
    assert "database system is shut down" in (doxie.home / "logs" / "postgres.log").read_text()
    assert doxie.processes() == []


def test_ctrl_c_while_it_starts(doxie: Doxie) -> None:
    running = doxie.in_foreground("postgres,redis,s3")
    assert running.stdout is not None
    running.stdout.readline()
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)
    assert running.returncode == 0
    assert doxie.processes() == []


def test_prefect_on_the_embedded_postgres(doxie: Doxie) -> None:
    stack = doxie.up("postgres,prefect")
    api = stack["prefect"]["url"]
    assert httpx.get(f"{api}/health").json() is True
    assert httpx.post(f"{api}/flow_runs/filter", json={}).json() == []
    assert "html" in httpx.get(api.removesuffix("/api"), follow_redirects=True).text

    # Inserts runs in bulk: what the server does not survive on an SQLAlchemy too new for it.
    flow = httpx.post(f"{api}/flows/", json={"name": "nightly"}).json()["id"]
    schedules = [{"schedule": {"cron": "0 3 * * *"}}]
    deployment = {"name": "nightly", "flow_id": flow, "schedules": schedules}
    created = httpx.post(f"{api}/deployments/", json=deployment).json()["id"]
    assert httpx.post(f"{api}/deployments/{created}/schedule", json={}).status_code == 200
    assert httpx.post(f"{api}/flow_runs/count", json={}).json() > 0

    foreign = httpx.get(f"{api}/health", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers
    with clients.postgres(stack) as connection:
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'prefect'"
        assert connection.execute(owner).fetchall() == [("prefect",)]
    assert not list(doxie.home.rglob("*.db"))
    environment = Path(f"/proc/{stack['prefect']['pid']}/environ").read_text()
    assert not set(environment.split("\0")) & {f"{k}={v}" for k, v in read_env(doxie.home / "secrets.env").items()}
