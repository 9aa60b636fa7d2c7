"""From files to records: what an input is, how it is cut into parts, and how a part is read."""

import pipelines.beam  # noqa: F401 before anything of Beam's
from pipelines.sources.part import Part, PolicyFile, Record, Reject, Skipped, doc_id
from pipelines.sources.plan import plan
from pipelines.sources.read import read

__all__ = ["Part", "PolicyFile", "Record", "Reject", "Skipped", "doc_id", "plan", "read"]
