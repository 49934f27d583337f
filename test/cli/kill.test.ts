// kill -9 and start again on the same DATA_DIR.
