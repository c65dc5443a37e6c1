"""What one event's work leaves in the run ledger, step by step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from models import pipeline
from models.pipeline import PipelineRun


@dataclass(frozen=True, slots=True)
class Subject:
    """The revision, export, … that a step is about, and the updates that are in it."""

    id: UUID
    seq_from: int | None = None
    seq_to: int | None = None


@dataclass(slots=True)
class Ledger:
    """The steps not recorded yet; whoever takes them records them with what they did."""

    pipeline: str
    org_id: UUID
    document_id: UUID | None
    attempts: int
    flow_run_id: UUID | None
    steps: list[PipelineRun] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, subject: Subject, *, hash_in: str | None = None) -> Iterator[PipelineRun]:
        """A step that succeeds if the block does. The block sets `hash_out` and `bytes_out`."""
        run = self._begin(name)
        run.subject_id, run.seq_from, run.seq_to = subject.id, subject.seq_from, subject.seq_to
        run.hash_in = hash_in
        try:
            yield run
        except BaseException as error:
            pipeline.fail(run, error)
            raise
        pipeline.succeed(run)

    def failed(self, error: BaseException) -> list[PipelineRun]:
        """The steps to record because of an error, at least one of them failed."""
        if not any(step.state == "failed" for step in self.steps):
            pipeline.fail(self._begin("prepare"), error)
        return self.steps

    def _begin(self, step: str) -> PipelineRun:
        run = pipeline.begin(
            self.org_id,
            self.document_id,
            pipeline=self.pipeline,
            step=step,
            attempts=self.attempts,
            flow_run_id=self.flow_run_id,
        )
        self.steps.append(run)
        return run
