// Runs one command of the CLI to its end.
