"""The Beam jobs, one module a job, and what jobs share."""
