"""The papers of a run: what its tables can say of themselves, in the forms that people and regulators ask for."""
