"""Tests of exports, over output directories that they make."""
