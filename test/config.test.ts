// Settings.
