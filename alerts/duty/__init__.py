"""Who is on duty: teams, responders, shifts."""
