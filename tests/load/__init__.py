"""Load: many callers of the API and many tabs at once against one server, and what they leave behind.

    python -m tests.load --clients 50 --seconds 600 --api 25 --live 25

A benchmark, and in its small form (tests/test_load.py) a test of what must hold whatever the machine does: no result is
lost, nothing answers 5xx, and once everybody has left no session, call or file is kept.
"""
