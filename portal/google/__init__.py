"""Adapter to Google: OAuth, and the Calendar API v3 through google-api-python-client."""
