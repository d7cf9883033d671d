"""The application: which process runs what, from settings to supervisor, CLI and demo."""
