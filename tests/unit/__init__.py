"""Tests of one idea each."""
