"""Calls in, answers out: what is played for whom, what was seen, and the two servers that play it."""
