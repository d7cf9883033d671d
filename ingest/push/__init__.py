"""From devices that push over HTTP: who may, how much at once, and the spool that holds it meanwhile."""
