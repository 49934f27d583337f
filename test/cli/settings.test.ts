// Wrong settings, .env of the working directory.
