"""Counters of this process and the state of the outbox, in Prometheus' text format."""

import time
from collections import Counter

from flows import watching
from flows.recording import Recorder
from flows.runtime import Runtime
from flows.watching import Health
from infra.metrics import Histogram, process
from models import outbox

counters: Counter[tuple[str, str]] = Counter()
"""What has happened in this process, by (metric, label)."""

batches = Histogram("doxie_flows_batch_seconds", "How long batches of events took, by their kind.", "kind")

_HELP = {
    "doxie_flows_revisions_total": "Revisions stored, by outcome of their document.",
    "doxie_flows_documents_total": "Documents persisted, by outcome.",
    "doxie_flows_exports_total": "Exports, by outcome.",
    "doxie_flows_imports_total": "Imports, by outcome.",
    "doxie_flows_digests_total": "Mails of notifications queued, by how they were wanted.",
    "doxie_flows_mails_total": "Attempts to send a mail, by outcome.",
    "doxie_flows_personal_exports_total": "Exports of personal data, by outcome.",
    "doxie_flows_erasures_total": "Accounts erased.",
    "doxie_flows_runs_total": "Batches worked on, by whether Prefect has recorded them.",
    "doxie_outbox_events": "Events waiting or worked on, by kind.",
    "doxie_outbox_oldest_seconds": "Age of the oldest event, by kind.",
}
_HELP |= {
    "doxie_outbox_set_aside": "Events that failed too often and wait for somebody, by kind.",
    "doxie_flows_cpu_seconds_total": "CPU this worker has used; with the documents persisted, what a save costs.",
    "doxie_backup_age_seconds": "Age of the newest good backup, drill, and archived segment of the log.",
    "doxie_log_archive_failures_total": "Times that a segment of the log could not be archived.",
    "doxie_alarms": "What is wrong with the backups: 1 for each.",
}
_LABEL = dict.fromkeys(("doxie_outbox_events", "doxie_outbox_oldest_seconds", "doxie_outbox_set_aside"), "kind")
_LABEL |= {"doxie_backup_age_seconds": "of", "doxie_alarms": "alarm", "doxie_flows_cpu_seconds_total": "process"}


def count(metric: str, label: str, by: int = 1) -> None:
    """Something has happened."""
    counters[f"doxie_flows_{metric}_total", label] += by


async def text(runtime: Runtime, recorder: Recorder | None) -> str:
    """All of it, as text."""
    async with runtime.db.transaction() as session:
        backlog = await outbox.backlog(session)
    values: dict[tuple[str, str], float] = dict(counters)
    if recorder is not None:
        values["doxie_flows_runs_total", "recorded"] = recorder.recorded
        values["doxie_flows_runs_total", "unrecorded"] = recorder.unrecorded
    for kind in outbox.KINDS:
        found = next((entry for entry in backlog if entry.kind == kind), None)
        values["doxie_outbox_events", kind] = found.events if found else 0
        values["doxie_outbox_oldest_seconds", kind] = found.oldest_seconds if found else 0
        values["doxie_outbox_set_aside", kind] = found.set_aside if found else 0
    values["doxie_flows_cpu_seconds_total", "worker"] = time.process_time()
    values |= _backups(watching.newest())
    shown = "".join(_metric(name, values) for name in _HELP)
    return shown + "\n".join([*batches.lines(), *process("doxie_flows")]) + "\n"


def _backups(health: Health | None) -> dict[tuple[str, str], float]:
    if health is None:
        return {}
    ages = {"drill": health.drill, "dump": health.dump, "base": health.base, "log": health.log}
    ages["organizations"] = health.organizations
    values: dict[tuple[str, str], float] = {
        ("doxie_backup_age_seconds", name): age for name, age in ages.items() if age is not None
    }
    values["doxie_log_archive_failures_total", "all"] = health.log_failures
    return values | {("doxie_alarms", alarm): 1 for alarm in health.alarms}


def _metric(name: str, values: dict[tuple[str, str], float]) -> str:
    kind = "counter" if name.endswith("_total") else "gauge"
    label = _LABEL.get(name, "outcome")
    lines = [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} {kind}"]
    lines += [
        f'{name}{{{label}="{key}"}} {value:g}' for (metric, key), value in sorted(values.items()) if metric == name
    ]
    return "\n".join(lines) + "\n"
