"""HTML to main text and page metadata, in a process that can be stopped."""

from filters.extract.interface import Extracted, Extractor, Failure, make_extractor
from filters.extract.pool import SandboxPool
from filters.extract.sandbox import Sandbox

__all__ = ["Extracted", "Extractor", "Failure", "Sandbox", "SandboxPool", "make_extractor"]
