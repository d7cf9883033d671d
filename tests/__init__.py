"""Tests of every room, and the script that takes the pictures of the documentation."""
