"""Adapter to RFC 5545."""
