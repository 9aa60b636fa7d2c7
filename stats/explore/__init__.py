"""The explorer: a run as a page that answers, on this machine alone, for the person who owns it."""
