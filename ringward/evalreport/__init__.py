"""What `ringward eval` hands over: one JSON object, and a page that needs nothing else to be read."""
