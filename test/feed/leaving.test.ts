// Clients that share an id, bad requests, shutdown.
