"""Attacks on the app as a whole, each with its outcome: nobody signed in, nothing changed, nothing shown.

What other tests attack already is not done again here; the tables of docs/security.md name those tests too.
"""
