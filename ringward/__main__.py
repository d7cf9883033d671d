"""`python -m ringward`: what the supervisor starts its children with."""

from ringward.cli import app

app()
