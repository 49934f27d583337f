// migrate.
