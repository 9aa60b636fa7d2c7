"""Flows that run as Prefect deployments, on a schedule or by an event: curate, daily, takedown, train."""
