"""Who may use the console: users, their sessions, set-up links and API tokens."""
