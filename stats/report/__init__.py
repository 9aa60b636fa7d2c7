"""The report of a run: one self-contained page for a person, made of what the run counted."""
