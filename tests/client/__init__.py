"""Tests of the client, against a service that they play."""
