"""Groups of commands, a module each; `flows.cli` hangs them into `winnow`."""
