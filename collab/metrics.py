"""What this process has done so far, in the text format of Prometheus (pure)."""

from dataclasses import dataclass, field, fields

from infra.metrics import Histogram


@dataclass(slots=True)
class Metrics:
    """Counters since the start, and gauges of now."""

    compiled: int = 0
    """1 where this process runs compiled."""
    sockets: int = 0
    rooms: int = 0
    unsaved_bytes: int = 0
    frames_in_total: int = 0
    edits_saved_total: int = 0
    commits_total: int = 0
    commits_failed_total: int = 0
    quarantined_total: int = 0
    skipped_total: int = 0
    keepers_died_total: int = 0
    loads_failed_total: int = 0
    slow_readers_total: int = 0
    throttled_total: int = 0
    refused_total: int = 0
    commit_seconds: Histogram = field(
        default_factory=lambda: Histogram("doxie_collab_commit_seconds", "How long commits took: so long edits waited.")
    )

    def render(self) -> str:
        """One `doxie_collab_…` line for each."""
        lines: list[str] = []
        for name in (each.name for each in fields(self)):
            value = getattr(self, name)
            if isinstance(value, Histogram):
                lines += value.lines()
                continue
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# TYPE doxie_collab_{name} {kind}", f"doxie_collab_{name} {value}"]
        return "\n".join(lines) + "\n"
