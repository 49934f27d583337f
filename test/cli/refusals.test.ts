// Reasons not to start: port, DATA_DIR, database.
