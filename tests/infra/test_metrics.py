"""What processes count, and that the dashboard and the alerts ask for nothing else."""

import json
import re
from pathlib import Path

import yaml

from api.metrics import Requests
from collab.metrics import Metrics
from flows import metrics as flows
from infra.db import Database
from infra.metrics import BUCKETS, Histogram, process

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "infra/deploy/grafana"
_METRIC = re.compile(r"\bdoxie_\w+")


def shown(text: str) -> set[str]:
    """The names of the metrics in what Prometheus reads."""
    return set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))


async def known() -> set[str]:
    """Every metric of every process."""
    requests, collab = Requests(), Metrics()
    database = Database("postgresql://nobody@localhost/nothing")
    pool = {f"doxie_api_pool_{name}" for name in database.pool()}
    await database.close()
    there = shown(requests.text()) | shown(collab.render()) | pool
    there |= set(flows._HELP) | shown("\n".join(flows.batches.lines()))
    return there | shown("\n".join(line for name in ("collab", "flows") for line in process(f"doxie_{name}")))


def asked(expressions: list[str]) -> set[str]:
    """The metrics in expressions; a histogram's parts are the histogram."""
    found = {name for expression in expressions for name in _METRIC.findall(expression)}
    return {re.sub(r"(_seconds)_(bucket|sum|count)$", r"\1", name) for name in found}


async def test_the_dashboard_asks_for_what_there_is() -> None:
    board = json.loads((GRAFANA / "doxie.json").read_text())
    targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(targets) > 30
    assert asked(targets) <= await known()
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(places) == len(set(places)), "no panel hides another"


async def test_the_alerts_ask_for_what_there_is() -> None:
    [group] = yaml.safe_load((GRAFANA / "alerts.yaml").read_text())["groups"]
    assert asked([rule["expr"] for rule in group["rules"]]) <= await known()
    assert all(rule["annotations"]["summary"] for rule in group["rules"])


async def test_what_operators_are_told_to_watch_is_there() -> None:
    table = (ROOT / "docs/operations.md").read_text()
    assert asked(re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)) <= await known()


def test_a_histogram_counts_each_bucket_with_those_before() -> None:
    histogram = Histogram("x_seconds", "x", "of")
    for seconds in (0.0005, 0.003, 0.003, 99):
        histogram.observe(seconds, "a")
    lines = list(histogram.lines())
    assert f'x_seconds_bucket{{of="a",le="{BUCKETS[0]}"}} 1' in lines
    assert 'x_seconds_bucket{of="a",le="0.005"} 3' in lines
    assert 'x_seconds_bucket{of="a",le="10.0"} 3' in lines
    assert 'x_seconds_bucket{of="a",le="+Inf"} 4' in lines
    assert 'x_seconds_count{of="a"} 4' in lines
    assert "x_seconds_count 1" in "\n".join(_observed().lines())


def _observed() -> Histogram:
    histogram = Histogram("x_seconds", "x")
    histogram.observe(1)
    return histogram


def test_requests_are_counted_by_route_and_streams_are_not_timed() -> None:
    requests = Requests()

    class Route:
        path = "/documents/{document_id}"

    class Stream:
        path = "/notifications/stream"

    requests.note({"type": "http", "method": "GET", "route": Route()}, 200, 0.02)
    requests.note({"type": "http", "method": "GET", "route": Stream()}, 200, 600)
    requests.note({"type": "http", "method": "GET"}, 404, 0.001)
    text = requests.text()
    assert 'doxie_api_requests_total{method="GET",route="/documents/{document_id}",status="200"} 1' in text
    assert 'doxie_api_requests_total{method="GET",route="none",status="404"} 1' in text
    assert 'doxie_api_request_seconds_count{route="/documents/{document_id}"} 1' in text
    assert 'doxie_api_request_seconds_count{route="/notifications/stream"}' not in text


def test_a_process_says_what_it_uses() -> None:
    values = dict(line.split() for line in process("doxie_api") if not line.startswith("#"))
    assert float(values["doxie_api_process_cpu_seconds_total"]) > 0
    assert int(values["doxie_api_process_resident_bytes"]) > 10_000_000
    assert int(values["doxie_api_process_open_files"]) > 2
