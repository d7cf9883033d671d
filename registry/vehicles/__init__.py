"""Vehicles by their plates, and who may drive them."""
